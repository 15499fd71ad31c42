import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import packageLock from '../../../package-lock.json' with { type: 'json' };
import packageJson from '../../../package.json' with { type: 'json' };

const ROOT = path.resolve(import.meta.dirname, '../../..');
const NEXT = `${Number(packageJson.version.split('.')[0]) + 1}.0.0`;
const NOT_COPIED = ['.git', '.cdvault', 'dist', 'node_modules', 'test', 'tools'];
const hasGit = spawnSync('git', ['--version']).status === 0;
const testWithGit = test.runIf(hasGit);
const npmMajor = Number.parseInt(spawnSync('npm', ['--version'], { encoding: 'utf8' }).stdout, 10);
/** Debian 12 has npm 9, which cannot write an SBOM. */
const testOfRelease = test.runIf(hasGit && npmMajor >= 10);
/** Packing compiles the whole of src. */
const PATIENCE_MS = 120_000;

let folder: string;
/** A repository of its own with a copy of the project. */
let project: string;

beforeEach(() => {
  if (!hasGit) return;
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-release-'));
  project = path.join(folder, 'project');
  for (const name of readdirSync(ROOT).filter((one) => !NOT_COPIED.includes(one)))
    cpSync(path.join(ROOT, name), path.join(project, name), { recursive: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(project, 'node_modules'));
  mkdirSync(path.join(folder, 'bin'));
  standInForMake(0);
  git('init', '--quiet');
  // .gitignore names a folder, and a link is none.
  writeFileSync(path.join(project, '.git/info/exclude'), 'node_modules\n');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'all: begin');
});

afterEach(() => {
  if (hasGit) rmSync(folder, { recursive: true, force: true });
});

function standIn(command: string, body: string): void {
  const file = path.join(folder, 'bin', command);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

/** The checks themselves take a minute; the stand-in writes down what it was asked for. */
function standInForMake(exitCode: number): void {
  standIn('make', `echo "$@" >>"${folder}/made"\nexit ${exitCode}`);
}

const environment = () => ({
  ...process.env,
  PATH: `${path.join(folder, 'bin')}:${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'tester',
  GIT_AUTHOR_EMAIL: 'tester@example.invalid',
  GIT_COMMITTER_NAME: 'tester',
  GIT_COMMITTER_EMAIL: 'tester@example.invalid',
});

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: project, env: environment(), encoding: 'utf8' });
}

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(path.join(project, 'scripts/release.sh'), args, {
    cwd: project,
    env: environment(),
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const read = (name: string): string => readFileSync(path.join(project, name), 'utf8');
const state = () => [git('status', '--porcelain'), git('log', '--format=%s'), git('tag')];
const UNCHANGED = ['', 'all: begin\n', ''];

testOfRelease(
  'a release is a commit, a tag, a package, an SBOM and checksums',
  () => {
    const before = read('CHANGELOG.md');
    const { status, stdout, stderr } = release(NEXT);
    expect(status, stderr).toBe(0);
    expect(readFileSync(path.join(folder, 'made'), 'utf8')).toBe('check\n');
    expect(state()).toEqual(['', `release: ${NEXT}\nall: begin\n`, `v${NEXT}\n`]);
    expect(git('cat-file', '-t', `v${NEXT}`)).toBe('tag\n');
    expect(git('rev-parse', `v${NEXT}^{commit}`)).toBe(git('rev-parse', 'HEAD'));

    // Three files change, and of these only the version and the heading.
    const changed = git('diff', '--numstat', 'HEAD~').trimEnd().split('\n').toSorted();
    expect(changed).toEqual([
      '1\t1\tpackage.json',
      '2\t0\tCHANGELOG.md',
      '2\t2\tpackage-lock.json',
    ]);
    const heading = new RegExp(
      `^## \\[Unreleased\\]\n\n## \\[${NEXT}\\] - \\d{4}-\\d\\d-\\d\\d$`,
      'm',
    );
    expect(read('CHANGELOG.md').replace(heading, '## [Unreleased]')).toBe(before);

    const made = path.join(project, '.cdvault/release', NEXT);
    const tarball = `cdvault-${NEXT}.tgz`;
    const sbom = `cdvault-${NEXT}.cdx.json`;
    expect(readdirSync(made).toSorted()).toEqual(['SHA256SUMS', sbom, tarball]);
    const packed = execFileSync('tar', ['-xzOf', path.join(made, tarball), 'package/package.json']);
    expect(JSON.parse(packed.toString())).toMatchObject({ name: 'cdvault', version: NEXT });
    const sums = [sbom, tarball].map((name) => {
      const sum = createHash('sha256').update(readFileSync(path.join(made, name)));
      return `${sum.digest('hex')}  ${name}\n`;
    });
    expect(
      readFileSync(path.join(made, 'SHA256SUMS'), 'utf8')
        .split(/(?<=\n)/)
        .toSorted(),
    ).toEqual(sums.toSorted());

    const { components, ...bill } = JSON.parse(readFileSync(path.join(made, sbom), 'utf8')) as {
      components: { name: string; version: string }[];
    };
    const component = { name: 'cdvault', version: NEXT, type: 'application' };
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component } });
    const listed = components.map(({ name }) => name);
    for (const name of Object.keys(packageJson.dependencies)) expect(listed).toContain(name);
    // Packages of packages that users install, which packages of the tests use, too.
    for (const name of ['debug', 'pg-types', 'tslib']) expect(listed).toContain(name);
    const locked = Object.entries(packageLock.packages).map(
      ([name, { version }]) => `${name.replace(/^.*node_modules\//, '')}@${version}`,
    );
    for (const { name, version } of components) expect(locked).toContain(`${name}@${version}`);
    for (const name of ['vitest', 'knip', 'oxlint']) expect(listed).not.toContain(name);

    expect(stdout).toContain(`npm publish .cdvault/release/${NEXT}/${tarball}\n`);
    expect(stdout).toContain(`git push origin HEAD v${NEXT}\n`);
  },
  PATIENCE_MS,
);

testOfRelease(
  'a dry run makes the files and leaves the tree as it was',
  () => {
    const { status, stdout, stderr } = release(NEXT, '--dry-run');
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`cdvault-${NEXT}.tgz\n`);
    expect(state()).toEqual(UNCHANGED);
  },
  PATIENCE_MS,
);

testOfRelease('a red check is refused before anything changes', () => {
  standInForMake(2);
  const { status, stderr } = release(NEXT);
  expect({ status, stderr }).toMatchObject({ status: 1 });
  expect(stderr).toContain('release: make check is red\n');
  expect(state()).toEqual(UNCHANGED);
  expect(existsSync(path.join(project, '.cdvault/release'))).toBe(false);
});

testOfRelease('a failure after the version is set restores the tree', () => {
  writeFileSync(
    path.join(project, 'package.json'),
    read('package.json').replace(/"prepack": "[^"]*"/, '"prepack": "exit 3"'),
  );
  git('commit', '--quiet', '--all', '--message', 'all: break');
  const { status, stderr } = release(NEXT);
  expect(status).not.toBe(0);
  expect(stderr).not.toContain('release: ');
  expect(state()).toEqual(['', 'all: break\nall: begin\n', '']);
  expect(read('package.json')).toContain(`"version": "${packageJson.version}"`);
});

testWithGit('what can be seen before the checks is refused without them', () => {
  const refused = (args: string[], reason: string) => {
    const { status, stderr } = release(...args);
    expect({ status, stderr }).toEqual({ status: 1, stderr: `release: ${reason}\n` });
  };
  const usage = 'usage: scripts/release.sh VERSION [--dry-run], with a VERSION like 1.2.3';
  for (const args of [[], ['v1.2.3'], ['1.2'], ['1.02.3'], [NEXT, '--force']]) refused(args, usage);
  refused(['0.0.1'], `0.0.1 is not later than ${packageJson.version}`);
  refused([packageJson.version], `${packageJson.version} is not later than ${packageJson.version}`);
  writeFileSync(path.join(project, 'new'), '');
  refused([NEXT], 'the tree has changes that are not committed');
  rmSync(path.join(project, 'new'));
  git('tag', `v${NEXT}`);
  refused([NEXT], `the tag v${NEXT} exists`);
  git('tag', '--delete', `v${NEXT}`);
  writeFileSync(path.join(project, 'CHANGELOG.md'), '## [Unreleased]\n\n## [0.1.0]\n\n- all\n');
  git('commit', '--quiet', '--all', '--message', 'all: forget');
  refused([NEXT], 'CHANGELOG.md has nothing under [Unreleased]');
  expect(existsSync(path.join(folder, 'made'))).toBe(false);
});

testWithGit('an npm that cannot write an SBOM is refused before anything changes', () => {
  standIn('npm', 'echo 9.2.0');
  const { status, stderr } = release(NEXT);
  expect(stderr).toBe('release: npm 9.2.0 cannot write an SBOM; npm 10 or later can\n');
  expect({ status, state: state() }).toEqual({ status: 1, state: UNCHANGED });
});
