import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const SCRIPT = path.resolve(import.meta.dirname, '../../../scripts/check-audit.ts');
/** npm 9 asks at an older path, too, when the first does not answer. */
const AUDITS = '/-/npm/v1/security/';

let root: string;
let registry: Server | undefined;

/** A project with one package for users and one for its tests. */
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'cdvault-audit-'));
  const own = { name: 'some', version: '1.0.0', dependencies: { used: '1.0.0' } };
  const devDependencies = { tested: '1.0.0' };
  await writeFile(path.join(root, 'package.json'), JSON.stringify({ ...own, devDependencies }));
  const packages = {
    '': { ...own, devDependencies },
    'node_modules/used': { version: '1.0.0' },
    'node_modules/tested': { version: '1.0.0', dev: true },
  };
  const lock = { name: 'some', version: '1.0.0', lockfileVersion: 3, requires: true, packages };
  await writeFile(path.join(root, 'package-lock.json'), JSON.stringify(lock));
});

afterEach(async () => {
  if (registry === undefined) return;
  registry.closeAllConnections();
  await new Promise((resolve) => registry?.close(resolve));
  registry = undefined;
});

afterAll(async () => rm(root, { recursive: true, force: true }));

/** A registry that answers audits so, and knows no package. */
async function serve(statusCode: number, answer: unknown): Promise<string> {
  registry = createServer((request, response) => {
    const isAudit = request.url?.startsWith(AUDITS) === true;
    response.writeHead(isAudit ? statusCode : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isAudit ? answer : {}));
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  return `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
}

async function check(url: string, folder = root): Promise<{ exitCode: number; said: string }> {
  const env = {
    PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: root,
    npm_config_registry: url,
    npm_config_fetch_retries: '0',
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, folder], { env }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

const advisory = (title: string) => [
  {
    id: 1,
    url: 'https://advisories.example/1',
    title,
    severity: 'high',
    vulnerable_versions: '<2.0.0',
  },
];

test('an advisory about a package that users install is refused', async () => {
  const url = await serve(200, { used: advisory('It reads too far') });
  const { exitCode, said } = await check(url);
  expect(said).toContain('used: high: It reads too far (https://advisories.example/1)\n');
  expect(exitCode).toBe(1);
});

test('without an advisory it says nothing', async () => {
  expect(await check(await serve(200, {}))).toEqual({ exitCode: 0, said: '' });
});

test.each([404, 405])(
  'a registry without audits, which answers %i, is skipped aloud',
  async (code) => {
    expect(await check(await serve(code, {}))).toEqual({
      exitCode: 0,
      said: `dependency audit: SKIPPED, the npm registry answers an audit with ${code}\n`,
    });
  },
);

test('a registry that does not answer is skipped aloud', async () => {
  // Nothing listens on port 9 of this machine.
  expect(await check('http://127.0.0.1:9/')).toEqual({
    exitCode: 0,
    said: 'dependency audit: SKIPPED, the npm registry does not answer\n',
  });
});

test('another failure of npm is no reason to skip', async () => {
  const folder = await mkdtemp(path.join(root, 'no-lock-'));
  await writeFile(path.join(folder, 'package.json'), '{"name":"some","version":"1.0.0"}');
  const { exitCode, said } = await check('http://127.0.0.1:9/', folder);
  expect(exitCode).toBe(1);
  expect(said).toContain('ENOLOCK');
});
