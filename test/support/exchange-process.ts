import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** One line of the exchange's request log. */
export interface LoggedRequest {
  readonly seq: number;
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** true when the request asked for microseconds. */
  readonly isMicroseconds: boolean;
  /** undefined when the connection was cut before a status was sent. */
  readonly status: number | undefined;
  readonly weight: number;
  readonly usedWeight: number;
  /** Rows and ids of a page of trades or klines. */
  readonly rows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  readonly fault: string | undefined;
  readonly violation: string | undefined;
}

export interface ExchangeProcess {
  readonly url: string;
  readonly pid: number;
  /** All answered requests so far, in the order of the answers. */
  requests(): Promise<readonly LoggedRequest[]>;
  /** Those of them that ask for trades. */
  tradeRequests(): Promise<readonly LoggedRequest[]>;
  stop(): Promise<void>;
}

const PROGRAM = path.join(import.meta.dirname, '../exchange/main.ts');
const TRADES_ENDPOINT = '/aggTrades';
/** The simulator writes its log at least this often. */
const LOG_FLUSH_MS = 100;
const LOG_WAIT_MS = 10_000;

/**
 * Starts the exchange in its own process, so that serving pages doesn't compete with the test.
 * @param args options that `node test/exchange/main.ts --help` lists, without `--port` and `--log`
 */
export async function startExchangeProcess(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ExchangeProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'cdvault-exchange-'));
  const logFile = path.join(folder, 'requests.log');
  const child = spawn(process.execPath, [PROGRAM, '--log', logFile, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const url = await Promise.race([
    urlIn(child.stdout),
    exited.then(() => Promise.reject(new Error(`the exchange ended: ${args.join(' ')}`))),
  ]);

  async function requests(): Promise<readonly LoggedRequest[]> {
    // The log is written in batches: once it contains our own request, it contains all earlier ones.
    const mark = `/mark-${Math.random().toString(36).slice(2)}`;
    await fetch(`${url}${mark}`).then(async (response) => response.arrayBuffer());
    for (let waitedMs = 0; waitedMs < LOG_WAIT_MS; waitedMs += LOG_FLUSH_MS) {
      const lines = await linesOf(logFile);
      if (lines.some((line) => line.includes(mark)))
        return lines.map(parseRequest).filter((request) => !request.path.startsWith('/mark-'));
      await sleep(LOG_FLUSH_MS);
    }
    throw new Error('the exchange does not write its log');
  }

  return {
    url,
    pid: child.pid ?? 0,
    requests,
    tradeRequests: async () =>
      (await requests()).filter((each) => each.path.endsWith(TRADES_ENDPOINT)),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function urlIn(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const url = /^exchange listening on (\S+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    // Discards further output, since a full pipe would block the exchange.
    output.resume();
    return url;
  }
  throw new Error('the exchange ended before it printed its URL');
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

const LINE =
  /^(\d+) (\S+) (\S+) (\S+)(?: (?!us →|→)(\S+))?( us)? → (no status|\d+) weight (\d+) used (\d+)(?: rows (\d+))?(?: ids (\d+)\.\.(\d*))?(?: fault (.+?))?(?: VIOLATION (.+))?$/;

function parseRequest(line: string): LoggedRequest {
  const match = LINE.exec(line);
  if (match === null) throw new Error(`not a line of the request log: ${line}`);
  const [, seq, at = '', method = '', urlPath = '', query = '', us, status = ''] = match;
  const [weight, usedWeight, rows, firstId, lastId, fault, violation] = match.slice(8);
  return {
    seq: Number(seq),
    atMs: Date.parse(at),
    method,
    path: urlPath,
    query: Object.fromEntries(new URLSearchParams(query)),
    isMicroseconds: us !== undefined,
    status: status === 'no status' ? undefined : Number(status),
    weight: Number(weight),
    usedWeight: Number(usedWeight),
    rows: Number(rows ?? 0),
    firstId: idOf(firstId),
    lastId: idOf(lastId),
    fault,
    violation,
  };
}

function idOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
