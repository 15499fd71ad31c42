import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs';
import { CdvaultError } from '../../domain/errors.ts';
import { systemClock } from '../system/clock.ts';
import { writeWhole } from './home.ts';
import type { Env } from './types.ts';

const LOG_KEEP_BYTES = 16 * 1024 * 1024;
const LET_GO_MS = 5_000;

/** The command line of a live process; undefined when it is gone or a zombie. */
function commandLineOf(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/cmdline')) {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      return text === '' ? undefined : text;
    }
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return undefined;
  }
}

/**
 * True when a process holds no ports or files any more: it is gone, or a zombie that waits for its parent
 * to read the exit status. A process that still unmaps its files has no command line either, but keeps
 * its ports.
 */
function isGone(pid: number): boolean {
  if (!existsSync('/proc/self/stat')) return commandLineOf(pid) === undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.charAt(stat.lastIndexOf(')') + 2);
    return (state === 'Z' || state === 'X') && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true;
  }
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The pid in `pidFile`, if that process lives and its command line contains `mark`. After a reboot the
 * number may belong to any process: the mark ensures that we never signal another one.
 */
export function livePid(pidFile: string, mark: string): number | undefined {
  const pid = readPid(pidFile);
  if (pid === undefined) return undefined;
  return commandLineOf(pid)?.includes(mark) === true ? pid : undefined;
}

const SEEN_BY_SERVERS = new Set(['PATH', 'HOME', 'LANG', 'JAVA_HOME', 'TMPDIR']);

/**
 * The part of our environment that a server gets: variables of the server's own would override its file.
 */
export function serverEnvironment(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => SEEN_BY_SERVERS.has(entry[0]) && entry[1] !== undefined,
  );
  return { TZ: 'UTC', ...Object.fromEntries(kept) };
}

interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Env;
  readonly logFile: string;
  readonly pidFile: string;
}

/**
 * Starts a server that outlives this process: own session, own log, no pipe to us.
 * @throws CdvaultError SERVICE_START_FAILED
 */
export async function launchDetached(launch: Launch): Promise<number> {
  if (existsSync(launch.logFile) && statSync(launch.logFile).size > LOG_KEEP_BYTES) {
    renameSync(launch.logFile, `${launch.logFile}.1`);
  }
  const log = openSync(launch.logFile, 'a');
  try {
    const child = spawn(launch.command, launch.args, {
      cwd: launch.cwd,
      env: launch.env,
      detached: true,
      stdio: ['ignore', log, log],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    const { pid } = child;
    if (pid === undefined)
      throw new CdvaultError('SERVICE_START_FAILED', `${launch.command} has no process id`);
    writeWhole(launch.pidFile, `${pid}\n`);
    child.unref();
    return pid;
  } catch (error) {
    if (error instanceof CdvaultError) throw error;
    throw new CdvaultError('SERVICE_START_FAILED', `${launch.command} could not be started`, {
      cause: error,
    });
  } finally {
    closeSync(log);
  }
}

async function waitUntilGone(
  pid: number,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!isGone(pid)) {
    if (Date.now() > deadline) return false;
    await systemClock.sleep(20, signal);
  }
  return true;
}

/** Waits up to 5 s until a killed process has closed its ports and files. */
export async function letGo(pidFile: string, mark: string, signal: AbortSignal): Promise<void> {
  const pid = readPid(pidFile);
  if (
    pid !== undefined &&
    livePid(pidFile, mark) === undefined &&
    commandLineOf(pid) === undefined
  ) {
    await waitUntilGone(pid, LET_GO_MS, signal);
  }
}

/**
 * Sends SIGTERM and waits until the process is gone; SIGKILL after `graceMs`. True if SIGTERM was enough.
 */
export async function terminate(
  pidFile: string,
  mark: string,
  graceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const pid = livePid(pidFile, mark);
  if (pid === undefined) return true;
  process.kill(pid, 'SIGTERM');
  if (await waitUntilGone(pid, graceMs, signal)) return true;
  process.kill(pid, 'SIGKILL');
  await waitUntilGone(pid, graceMs, signal);
  return false;
}

export function tailOf(logFile: string, lines: number): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log was written)';
  }
}
