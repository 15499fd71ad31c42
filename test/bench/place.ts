import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { loadConfig } from '../../src/config.ts';
import { ensureServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { cliEnv } from '../support/command-line.ts';
import { prepareDayFiles } from './day-files.ts';
import { type Ran, runWatched, type Uses, whileWatching } from './process-meter.ts';

const ROOT = path.join(import.meta.dirname, '../..');
export const BENCH_DIR = path.join(ROOT, '.cdvault/bench');
const STORE_DIR = path.join(BENCH_DIR, 'store');
const CDVAULT = path.join(ROOT, 'bin/cdvault');
const HOST = path.join(import.meta.dirname, 'host.ts');

/** The simulated exchange with ten days of one symbol, and its archive host. */
export interface Host extends AsyncDisposable {
  readonly exchange: string;
  readonly archive: string;
  readonly folder: string;
  readonly pid: number;
}

export async function startHost(say: (line: string) => void): Promise<Host> {
  const folder = await prepareDayFiles(BENCH_DIR, say);
  const child = spawn(process.execPath, [HOST, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [first] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line') as Promise<[string]>,
    exited.then(() => Promise.reject(new Error('the simulated exchange ended before it listened'))),
  ]);
  return {
    ...(JSON.parse(first) as { exchange: string; archive: string }),
    folder,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

/** An empty Redis and an empty QuestDB; disposing of them stops them and deletes their data. */
export interface Store extends AsyncDisposable {
  readonly urls: ServiceUrls;
  readonly dir: string;
  readonly pids: { readonly QuestDB: number; readonly Redis: number };
  /** Stops both; the data stay until the store is disposed of. */
  stop(): Promise<void>;
}

const SERVICES = {
  ...loadConfig({ services: 'native', home: STORE_DIR }).services,
  say: () => undefined,
  signal: new AbortController().signal,
};

export async function freshStore(): Promise<Store> {
  // A bench that was killed leaves its services running.
  await discardStore();
  const urls = await ensureServices(SERVICES);
  return {
    urls,
    dir: STORE_DIR,
    pids: { QuestDB: pidOf('questdb'), Redis: pidOf('redis') },
    stop: async () => void (await stopServices(SERVICES)),
    [Symbol.asyncDispose]: discardStore,
  };
}

export async function discardStore(): Promise<void> {
  await stopServices(SERVICES);
  rmSync(STORE_DIR, { recursive: true, force: true });
}

function pidOf(service: 'questdb' | 'redis'): number {
  return Number(readFileSync(path.join(STORE_DIR, service, `${service}.pid`), 'utf8'));
}

/** The result of a cdvault command, with the resources of its process and of the servers. */
export interface Command extends Omit<Ran, 'use'> {
  readonly uses: Uses;
  /** The JSON lines that it printed. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** Runs `bin/cdvault` to its end. @throws Error when it fails */
export async function cdvault(
  args: readonly string[],
  {
    store,
    host,
  }: { readonly store: Store; readonly host: Pick<Host, 'exchange' | 'archive' | 'pid'> },
): Promise<Command> {
  const env = cliEnv(store.urls, host.exchange, 'bench', { BINANCE_ARCHIVE_URL: host.archive });
  const { result, uses } = await whileWatching({ ...store.pids, simulator: host.pid }, async () =>
    runWatched(CDVAULT, args, env),
  );
  const { use, ...ran } = result;
  if (ran.exitCode !== 0)
    throw new Error(
      `cdvault ${args.join(' ')} failed (${ran.exitCode}): ${ran.stderr}${ran.stdout}`,
    );
  const lines = ran.stdout.split('\n').filter((line) => line.startsWith('{'));
  return {
    ...ran,
    uses: { client: use, ...uses },
    lines: lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  };
}
