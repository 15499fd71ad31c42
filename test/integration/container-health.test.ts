import path from 'node:path';
import { execa } from 'execa';
import { expect, inject, test } from 'vitest';
import { cliEnv } from '../support/command-line.ts';

/** Runs the image's HEALTHCHECK as the engine does. */

const PROGRAM = path.join(import.meta.dirname, '../../scripts/container-health.ts');
const services = inject('services');

const health = async (change: Readonly<Record<string, string>>) => {
  const env = { ...cliEnv(services, 'http://127.0.0.1:9', 'health'), ...change };
  return execa(process.execPath, [PROGRAM], { env, extendEnv: false, reject: false });
};

function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = password;
  return changed.href;
}

test('is 0 when both services answer', async () => {
  expect(await health({})).toMatchObject({ exitCode: 0, stderr: '' });
});

test('is 1 and names the service that does not answer, without its password', async () => {
  const redis = await health({ REDIS_URL: 'redis://:secret@127.0.0.1:1/0' });
  expect(redis.exitCode).toBe(1);
  expect(redis.stderr).toContain('REDIS_UNREACHABLE: Redis did not answer at 127.0.0.1:1');
  const questdb = await health({ QUESTDB_PG_URL: withPassword(services.questdbPgUrl, 'secret') });
  expect(questdb.exitCode).toBe(1);
  expect(questdb.stderr).toContain('STORE_REFUSED');
  expect(redis.stderr + questdb.stderr).not.toContain('secret');
});

test('is 1 when no services are configured: a container starts none', async () => {
  const names = ['REDIS_URL', 'QUESTDB_HTTP_URL', 'QUESTDB_PG_URL', 'QUESTDB_READONLY_PG_URL'];
  const unset = await health(Object.fromEntries(names.map((name) => [name, ''])));
  expect(unset.exitCode).toBe(1);
  expect(unset.stderr).toContain('SERVICES_CONFIG');
});
