import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = path.resolve(import.meta.dirname, '..', '..', 'scripts', 'install-services.sh');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cdvault-install-'));
  mkdirSync(path.join(folder, 'bin'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a stand-in for a command before the real one in PATH. */
function standIn(name: string, body: string): void {
  const file = path.join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

function install(...parts: string[]): { status: number | null; output: string } {
  const result = spawnSync('sh', [script, ...parts], {
    encoding: 'utf8',
    env: {
      PATH: `${path.join(folder, 'bin')}:/usr/bin:/bin`,
      HOME: folder,
      JAR_DIR: path.join(folder, 'jars'),
    },
  });
  return { status: result.status, output: result.stdout + result.stderr };
}

test('a jar with another checksum is refused and not kept', () => {
  standIn(
    'mvn',
    'for a; do case $a in -DoutputDirectory=*) echo evil >"${a#*=}/questdb-9.3.4.jar";; esac; done',
  );
  const { status, output } = install('jar');
  expect(status).toBe(1);
  expect(output).toContain('not the pinned 939bc53a');
  expect(readdirSync(path.join(folder, 'jars'))).toEqual([]);
});

test('without root, the exact command is printed', () => {
  standIn('id', 'echo 1000');
  standIn('apt-get', 'exit 0');
  standIn('sudo', 'exit 1');
  const { status, output } = install('redis', 'java');
  expect(status).toBe(1);
  expect(output).toContain(
    "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends redis-server default-jre-headless'",
  );
});

test('sudo is used when it needs no password', () => {
  standIn('id', 'echo 1000');
  standIn('apt-get', 'echo "apt-get $*" >>"$HOME/calls"');
  standIn('sudo', 'shift; exec "$@"');
  const { status, output } = install('redis');
  expect({ status, output }).toMatchObject({ status: 0 });
  expect(spawnSync('cat', [path.join(folder, 'calls')], { encoding: 'utf8' }).stdout).toMatch(
    /^apt-get update -qq\napt-get install .*redis-server\n$/,
  );
});

test('Python with venv is installed when it is requested', () => {
  standIn('id', 'echo 1000');
  standIn('apt-get', 'echo "apt-get $*" >>"$HOME/calls"');
  standIn('sudo', 'shift; exec "$@"');
  expect(install('python')).toMatchObject({ status: 0 });
  expect(spawnSync('cat', [path.join(folder, 'calls')], { encoding: 'utf8' }).stdout).toMatch(
    /install .* python3-venv\n$/,
  );
});
