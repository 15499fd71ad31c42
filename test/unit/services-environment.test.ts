import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureServices, findServices, stopServices } from '../../src/adapters/services/ladder.ts';
import { loadConfig } from '../../src/config.ts';
import type { ServicesOptions } from '../../src/adapters/services/types.ts';

const ALL = {
  REDIS_URL: 'redis://:pw@127.0.0.1:1/0',
  QUESTDB_HTTP_URL: 'http://u:pw@127.0.0.1:1/',
  QUESTDB_PG_URL: 'postgresql://u:pw@127.0.0.1:1/qdb',
  QUESTDB_READONLY_PG_URL: 'postgresql://r:pw@127.0.0.1:1/qdb',
};

function options(env: Readonly<Record<string, string>>): ServicesOptions {
  const { services } = loadConfig({ home: '/nonexistent/cdvault-home' }, env);
  return { ...services, say: () => undefined, signal: new AbortController().signal };
}

test('some URLs without the others are an error that names the missing ones', async () => {
  const env = {
    REDIS_URL: ALL.REDIS_URL,
    QUESTDB_PG_URL: ALL.QUESTDB_PG_URL,
    QUESTDB_HTTP_URL: ' ',
  };
  await expect(ensureServices(options(env))).rejects.toMatchObject({
    code: 'SERVICES_CONFIG',
    message: 'REDIS_URL, QUESTDB_PG_URL set, but not QUESTDB_HTTP_URL, QUESTDB_READONLY_PG_URL',
  });
});

test('CDVAULT_SERVICES=environment without URLs is refused', async () => {
  await expect(ensureServices(options({ CDVAULT_SERVICES: 'environment' }))).rejects.toMatchObject({
    code: 'SERVICES_CONFIG',
  });
});

test('services of the environment that do not answer are an outage', async () => {
  const error = await ensureServices(options(ALL)).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'REDIS_UNREACHABLE', retryable: true });
  expect(String(error)).toContain('127.0.0.1:1');
  expect(String(error)).not.toContain('pw');
});

test('finding services sends no request', async () => {
  expect(await findServices(options(ALL))).toMatchObject({
    how: 'environment',
    questdbHttpUrl: 'http://u:pw@127.0.0.1:1',
  });
  expect(await findServices(options({}))).toBeUndefined();
});

describe('an unusable home folder', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'cdvault-home-'));
    writeFileSync(path.join(folder, 'file'), '');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([ensureServices, findServices, stopServices])('is a file: %o', async (call) => {
    const homeDir = path.join(folder, 'file');
    await expect(call({ ...options({}), homeDir })).rejects.toMatchObject({
      code: 'FOLDER_UNUSABLE',
      exitCode: 7,
      message: expect.stringContaining(`CDVAULT_HOME: E`) as string,
    });
  });

  test('lies where no folder can be created', async () => {
    const homeDir = '/proc/cdvault/home';
    await expect(ensureServices({ ...options({}), homeDir })).rejects.toMatchObject({
      code: 'FOLDER_UNUSABLE',
      message: expect.stringContaining("'/proc/cdvault'") as string,
    });
  });
});
