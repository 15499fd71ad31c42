import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'src/cli/main.ts');
const BIN = path.join(ROOT, 'bin/cdvault');
const MEMORY_POLL_MS = 50;

export interface CliResult {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** Peak resident memory; undefined on systems other than Linux. */
  readonly peakBytes: number | undefined;
}

export interface CliProcess {
  /** Settles when the process has ended; a failure of the command does not reject it. */
  readonly done: Promise<CliResult>;
  /** Does nothing once the process has ended. */
  kill(signal?: NodeJS.Signals): void;
}

/** A command that runs, with all lines that it has printed. */
interface Running {
  readonly args: readonly string[];
  readonly lines: readonly string[];
}

/** Commands that tests of this file have started and that have not ended. */
const running = new Set<Running>();
const LAST_LINES = 15;

/** What the commands that still run have printed last: when a test fails at its time limit, it says why. */
export function describeRunning(): string {
  return [...running]
    .map(({ args, lines }) =>
      [`still running: ${args.join(' ')}`, ...lines.slice(-LAST_LINES)].join('\n  '),
    )
    .join('\n');
}

export interface CliOptions {
  /** The whole environment, see cliEnv. */
  readonly env: Readonly<Record<string, string>>;
  /** Called for every line of standard output and standard error as it is printed. */
  readonly onLine?: (line: string) => void;
  /** `bin`: through bin/cdvault, as users start it, with its memory limits. */
  readonly via?: 'main' | 'bin';
  /** A command that runs the rest of its line, such as in another network. */
  readonly within?: readonly string[];
}

/** A name that no other test, and no other run on the same services, uses. */
export function unique(prefix: string): string {
  return `${prefix}${randomBytes(5).toString('hex').toUpperCase()}`;
}

/**
 * The environment of a command: the services of the test run, a simulated exchange, a Redis prefix
 * and a weight budget named after the test.
 */
export function cliEnv(
  services: ServiceUrls,
  exchangeUrl: string,
  name: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    // The Node.js that runs the tests comes first, so that bin/cdvault uses it, too.
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: process.env['HOME'] ?? '',
    REDIS_URL: services.redisUrl,
    QUESTDB_HTTP_URL: services.questdbHttpUrl,
    QUESTDB_PG_URL: services.questdbPgUrl,
    QUESTDB_READONLY_PG_URL: services.questdbReadonlyPgUrl,
    BINANCE_SPOT_URL: exchangeUrl,
    BINANCE_UM_URL: exchangeUrl,
    BINANCE_CM_URL: exchangeUrl,
    CDVAULT_REDIS_PREFIX: name,
    CDVAULT_EGRESS: name,
    CDVAULT_WEIGHT_SHARE: '1',
    ...more,
  };
}

export function startCli(args: readonly string[], options: CliOptions): CliProcess {
  const startedMs = performance.now();
  const [command, ...before] = [
    ...(options.within ?? []),
    ...(options.via === 'bin' ? [BIN] : [process.execPath, MAIN]),
  ];
  const child = spawn(command ?? BIN, [...before, ...args], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const one = { args, lines: [] as string[] };
  running.add(one);
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    let text = '';
    for await (const line of createInterface({ input: stream })) {
      text += `${line}\n`;
      one.lines.push(line);
      options.onLine?.(line);
    }
    return text;
  });
  let peakBytes: number | undefined;
  // The kernel keeps the peak, but only as long as the process runs, so the last reading counts.
  const poll = setInterval(() => {
    peakBytes = peakOf(child.pid) ?? peakBytes;
  }, MEMORY_POLL_MS);
  const ended = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? undefined));
  });
  async function result(): Promise<CliResult> {
    try {
      const exitCode = await ended;
      const [stdout = '', stderr = ''] = await Promise.all(texts);
      return { exitCode, stdout, stderr, durationMs: performance.now() - startedMs, peakBytes };
    } finally {
      running.delete(one);
      clearInterval(poll);
    }
  }
  return { done: result(), kill: (signal = 'SIGTERM') => void child.kill(signal) };
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, options).done;
}

function peakOf(pid: number | undefined): number | undefined {
  if (process.platform !== 'linux' || pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    // It has just ended.
    return undefined;
  }
}
