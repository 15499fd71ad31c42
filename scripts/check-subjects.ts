import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Longer subjects are cut off in `git log --oneline` and on most web pages. */
const MAX_CHARACTERS = 72;

/** Commits before this time keep their subjects: history is not rewritten. */
const SINCE_S = Date.parse('2026-11-27T19:00:00Z') / 1000;

/**
 * Commits that are newer than the rule and whose subject is too long.
 * @param log lines of a committer time in seconds, a hash and a subject
 */
export function longSubjects(log: string): string[] {
  return [...log.matchAll(/^(\d+) (\S+) (.*)$/gm)].flatMap(([, time, hash, subject = '']) => {
    const characters = Array.from(subject).length;
    return Number(time) >= SINCE_S && characters > MAX_CHARACTERS
      ? [`${hash ?? ''} has a subject of ${characters} characters: ${subject}`]
      : [];
  });
}

/** Compares dates, not commits with a base commit: a shallow clone may not have the base. */
function checkSubjects(root: string): void {
  const skipped = (reason: string): void => console.log(`commit subjects: SKIPPED, ${reason}`);
  if (!existsSync(path.join(root, '.git'))) {
    skipped('not a git repository');
    return;
  }
  try {
    // As root in a container the checkout usually belongs to another user.
    const git = ['-c', 'safe.directory=*', 'log', '--no-merges', '--format=%ct %h %s'];
    const wrong = longSubjects(
      execFileSync('git', git, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 }),
    );
    if (wrong.length === 0) return;
    console.error([...wrong, `commit subjects: at most ${MAX_CHARACTERS} characters`].join('\n'));
    process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    skipped('git is not installed');
  }
}

if (process.argv[1] === import.meta.filename)
  checkSubjects(process.argv[2] ?? path.resolve(import.meta.dirname, '..'));
