import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultSeed, isTurnOf } from '../support/fault-turns.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-turns-'));
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

test('each seed selects one fault of a file; as many consecutive seeds as faults select all of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.nat(), (count, from) => {
      const all = Array.from({ length: count }, (_, index) => index);
      const turns = all.map((by) => all.filter((index) => isTurnOf(index, count, from + by)));
      expect(turns.every((chosen) => chosen.length === 1)).toBe(true);
      expect(turns.flat().toSorted((left, right) => left - right)).toEqual(all);
    }),
  );
});

describe('the seed', () => {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
  const hasGit = (() => {
    try {
      execFileSync('git', ['--version'], { stdio: 'pipe' });
      return true;
    } catch {
      return false;
    }
  })();

  test.runIf(hasGit)('is one higher after each commit', () => {
    git('init', '-q');
    git('config', 'user.name', 'tester');
    git('config', 'user.email', 'tester@example.invalid');
    const commit = () => git('commit', '-q', '--allow-empty', '-m', 'one more');
    commit();
    expect(faultSeed({}, folder)).toBe(1);
    expect(faultSeed({}, folder)).toBe(1);
    commit();
    expect(faultSeed({}, folder)).toBe(2);
  });

  test('can be given, to repeat a run', () => {
    expect(faultSeed({ CDVAULT_SEED: '42' }, folder)).toBe(42);
    expect(faultSeed({ CDVAULT_SEED: '42', CDVAULT_FAULTS: 'all' }, folder)).toBe(42);
  });

  test('is random without git, and when all faults run', () => {
    expect(faultSeed({}, tmpdir())).toBeTypeOf('number');
    const seeds = Array.from({ length: 8 }, () => faultSeed({ CDVAULT_FAULTS: 'all' }));
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });
});
