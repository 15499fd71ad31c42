import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

/** What one process used while it was measured. */
export interface Use {
  /** User and system time. */
  readonly cpuS: number;
  /** Peak of the resident memory, including mapped files. */
  readonly peakBytes: number;
  /** Bytes that it caused to be sent to the disk: `write_bytes` of proc(5). */
  readonly writtenBytes: number;
}

/** By the name of the process in the table. */
export type Uses = Readonly<Record<string, Use>>;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly wallS: number;
  readonly use: Use;
}

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
/** What a process uses after its last sample is not counted: at most this much on each core. */
const SAMPLE_MS = 20;
/** `echo 5 >/proc/PID/clear_refs` resets the peak of the resident memory: proc(5). */
const RESET_PEAK = '5';

/** Runs a program to its end and measures it. */
export async function runWatched(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const startedMs = performance.now();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let use: Use = { cpuS: 0, peakBytes: 0, writtenBytes: 0 };
  const sampling = setInterval(() => {
    use = (child.pid === undefined ? undefined : useSinceStart(child.pid)) ?? use;
  }, SAMPLE_MS);
  try {
    const [stdout, stderr, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ]);
    return { stdout, stderr, exitCode, wallS: secondsSince(startedMs), use };
  } finally {
    clearInterval(sampling);
  }
}

/** Measures what running processes use during `work`. */
export async function whileWatching<T>(
  pids: Readonly<Record<string, number>>,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly wallS: number; readonly uses: Uses }> {
  const names = Object.entries(pids);
  const before = new Map(
    names.map(([name, pid]) => [name, { cpuS: cpuSeconds(pid), bytes: writtenBytes(pid) }]),
  );
  for (const [, pid] of names) writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
  const startedMs = performance.now();
  const result = await work();
  const wallS = secondsSince(startedMs);
  const uses = names.map(([name, pid]): [string, Use] => [
    name,
    {
      cpuS: cpuSeconds(pid) - (before.get(name)?.cpuS ?? 0),
      peakBytes: peakBytes(pid),
      writtenBytes: writtenBytes(pid) - (before.get(name)?.bytes ?? 0),
    },
  ]);
  return { result, wallS, uses: Object.fromEntries(uses) };
}

export function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}

/** undefined when the process has just ended. */
function useSinceStart(pid: number): Use | undefined {
  try {
    return {
      cpuS: cpuSeconds(pid),
      peakBytes: peakBytes(pid),
      writtenBytes: writtenBytes(pid),
    };
  } catch {
    return undefined;
  }
}

/** CPU time of the process and of the children that it has waited for: fields 14 to 17 of proc(5). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name, which may contain spaces.
  const fromThird = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fromThird.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / TICKS_A_SECOND;
}

function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`);
  return Number(kilobytes) * 1024;
}

function writtenBytes(pid: number): number {
  const bytes = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1];
  if (bytes === undefined) throw new Error(`/proc/${pid}/io has no write_bytes`);
  return Number(bytes);
}
