import { execFileSync } from 'node:child_process';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..', '..');

/**
 * The number that decides which slow faults `make test` runs: that of the commits up to this one, so
 * that each commit takes the next ones in turn. A copy without the whole history takes a number of the
 * commit's hash; one without git, and `make faults`, draws it. `CDVAULT_SEED` repeats a run.
 */
export function faultSeed(env: NodeJS.ProcessEnv = process.env, root = ROOT): number {
  const given = env['CDVAULT_SEED'];
  if (given !== undefined) return Number(given);
  if (env['CDVAULT_FAULTS'] === 'all') return drawn();
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
    return git('rev-parse', '--is-shallow-repository') === 'true'
      ? Number.parseInt(git('rev-parse', 'HEAD').slice(0, 8), 16)
      : Number(git('rev-list', '--count', 'HEAD'));
  } catch {
    return drawn();
  }
}

function drawn(): number {
  return Math.floor(Math.random() * 1e9);
}

/** Of the slow faults of one file one has its turn: as many seeds in a row run them all. */
export function isTurnOf(index: number, count: number, seed: number): boolean {
  return seed % count === index;
}
