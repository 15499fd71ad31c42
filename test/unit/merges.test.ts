import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

/** The files that git tracks; in a copy without git, all files but installed and generated ones. */
function projectFiles(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return listed.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name)));
  } catch {
    return filesInFolder();
  }
}

function filesInFolder(): string[] {
  return readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .filter((name) => !/(^|\/)(node_modules|\.cdvault|\.git)\//.test(name));
}

const files = projectFiles();

test('no file has conflict markers of a merge', () => {
  expect(files.length).toBeGreaterThan(300);
  const marker = /^(?:<{7}|>{7}|\|{7}) |^={7}$/m;
  expect(files.filter((name) => marker.test(readFileSync(join(ROOT, name), 'latin1')))).toEqual([]);
});

test('no table in a Markdown file has a row twice', () => {
  const pages = files.filter((name) => name.endsWith('.md'));
  const twice = pages.flatMap((page) => {
    const tables = readFileSync(join(ROOT, page), 'utf8').split(/\n(?!\|)/);
    return tables.flatMap((table) => {
      const names = [...table.matchAll(/^\| ([^|]*[A-Za-z][^|]*) \|/gm)].map(
        ([, name = '']) => name,
      );
      const doubled = names.filter((name, at) => names.indexOf(name) < at);
      return doubled.map((name) => `${page}: ${name}`);
    });
  });
  expect(twice).toEqual([]);
});
