import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/**
 * The number that decides which slow faults `make test` runs: the count of commits, so that each commit
 * takes the next faults in turn. A shallow clone takes a number from the commit's hash. Without git, and for
 * `make faults`, the number is random. `CDVAULT_SEED` repeats a run.
 */
export function faultSeed(env: NodeJS.ProcessEnv = process.env, root = ROOT): number {
  const given = env['CDVAULT_SEED'];
  if (given !== undefined) return Number(given);
  if (env['CDVAULT_FAULTS'] === 'all') return randomSeed();
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
    return git('rev-parse', '--is-shallow-repository') === 'true'
      ? Number.parseInt(git('rev-parse', 'HEAD').slice(0, 8), 16)
      : Number(git('rev-list', '--count', 'HEAD'));
  } catch {
    return randomSeed();
  }
}

function randomSeed(): number {
  return Math.floor(Math.random() * 1e9);
}

/** Each seed selects one of the `count` slow faults of a file; `count` seeds in a row select them all. */
export function isTurnOf(index: number, count: number, seed: number): boolean {
  return seed % count === index;
}
