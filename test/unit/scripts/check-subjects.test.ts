import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { longSubjects } from '../../../scripts/check-subjects.ts';

const NEW = Date.parse('2026-11-27T19:00:00Z') / 1000;

test.each([
  ['at the limit', `${NEW} abc1234 ${'a'.repeat(72)}`],
  ['characters are counted, not bytes', `${NEW} abc1234 ${'€'.repeat(72)}`],
  ['older than the rule', `${NEW - 1} abc1234 ${'a'.repeat(73)}`],
  ['no commit at all', ''],
])('a subject passes: %s', (_, log) => {
  expect(longSubjects(log)).toEqual([]);
});

test('a subject that is one character too long is refused, wherever it is in the log', () => {
  const long = 'a'.repeat(73);
  const log = [`${NEW} abc1 short`, `${NEW} abc2 ${long}`, `${NEW} abc3 short`].join('\n');
  expect(longSubjects(log)).toEqual([`abc2 has a subject of 73 characters: ${long}`]);
});

const hasGit = spawnSync('git', ['--version']).status === 0;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cdvault-subjects-'));
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

function check(root: string) {
  const script = path.resolve(import.meta.dirname, '../../../scripts/check-subjects.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], {
    encoding: 'utf8',
  });
  return { status, said: stdout + stderr };
}

test('a tree without .git is skipped, and the script says so', () => {
  expect(check(folder)).toEqual({
    status: 0,
    said: 'commit subjects: SKIPPED, not a git repository\n',
  });
});

test.runIf(hasGit)('a long subject is refused in a repository and in a shallow clone of it', () => {
  const origin = path.join(folder, 'origin');
  const clone = path.join(folder, 'clone');
  const commit = (subject: string): void => {
    const author = ['-c', 'user.name=tester', '-c', 'user.email=tester@example.invalid'];
    execFileSync('git', [...author, 'commit', '-q', '--allow-empty', '-m', subject], {
      cwd: origin,
    });
  };
  execFileSync('git', ['init', '-q', origin]);
  commit('tests: a short subject');
  expect(check(origin)).toEqual({ status: 0, said: '' });
  commit('b'.repeat(73));
  execFileSync('git', ['clone', '-q', '--depth', '1', `file://${origin}`, clone]);
  for (const root of [origin, clone]) {
    const { status, said } = check(root);
    expect(status).toBe(1);
    expect(said).toContain(`has a subject of 73 characters: ${'b'.repeat(73)}`);
  }
});
