import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { text } from 'node:stream/consumers';

const PROGRAM = path.join(import.meta.dirname, '../../docs/fingerprint.py');

export const PYTHON_IS_HERE = spawnSync('python3', ['--version']).status === 0;

/** The title of the skipped test, which is also printed, since reporters omit the names of skipped tests. */
export function pythonMissing(): string {
  const missing = 'PYTHON MISSING: docs/fingerprint.py was not run. Install python3';
  process.stderr.write(`${missing}\n`);
  return missing;
}

/** Runs docs/fingerprint.py with a fingerprint on its standard input. */
export async function checkFingerprint(
  fingerprint: string,
  args: readonly string[] = [],
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn('python3', [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(fingerprint);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exited, stdout, stderr };
}
