import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ensureServices, findServices, stopServices } from '../../src/adapters/services/ladder.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';

let own: OwnServices;
let urls: ServiceUrls;

beforeAll(async () => {
  own = await makeOwnServices();
  // Two callers at once, as two commands in two terminals would be.
  const [first, second] = await Promise.all([own.start(), own.start()]);
  expect(second).toEqual(first);
  urls = first;
});

afterAll(async () => own.dispose());

async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(text);
    return result.rows;
  } finally {
    await client.end();
  }
}

async function onRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(urls.redisUrl);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

const pidOf = async (service: 'redis' | 'questdb'): Promise<number> =>
  Number(await readFile(path.join(own.options.homeDir, service, `${service}.pid`), 'utf8'));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const startsSaid = (): number => own.said.filter((line) => line.startsWith('starting ')).length;

test('two callers at once start one Redis and one QuestDB', () => {
  expect(startsSaid()).toBe(2); // one Redis, one QuestDB
  expect(urls.how).toBe('native');
});

test('passwords are made for each home, and only its owner can read them', async () => {
  const secrets = await stat(path.join(own.options.homeDir, 'secrets.json'));
  expect(secrets.mode & 0o777).toBe(0o600);
  for (const url of [
    urls.redisUrl,
    urls.questdbHttpUrl,
    urls.questdbPgUrl,
    urls.questdbReadonlyPgUrl,
  ]) {
    expect(new URL(url).password).toMatch(/^[\w-]{32}$/);
    expect(new URL(url).hostname).toBe('127.0.0.1');
  }
  const wrong = new URL(urls.questdbPgUrl);
  wrong.password = 'quest';
  await expect(sql(wrong.href, 'select 1')).rejects.toThrow(/invalid username\/password/);
  expect((await fetch(`${new URL(urls.questdbHttpUrl).origin}/exec?query=select%201`)).status).toBe(
    401,
  );
});

test('Redis keeps an append-only file and never evicts', async () => {
  const settings = await onRedis(async (redis) => {
    const names = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save', 'bind'];
    const answers = await Promise.all(names.map(async (name) => redis.config('GET', name)));
    return Object.fromEntries(answers.map((answer) => answer as [string, string]));
  });
  expect(settings).toEqual({
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
    bind: '127.0.0.1',
  });
});

test('QuestDB runs with the settings that the tables rely on', async () => {
  const rows = await sql(urls.questdbPgUrl, 'show parameters');
  const value = (name: string): unknown =>
    rows.find((row) => row['property_path'] === name)?.['value'];
  expect(value('cairo.commit.mode')).toBe('sync');
  expect(value('telemetry.enabled')).toBe('false');
  expect(value('line.auto.create.new.columns')).toBe('false');
  expect(value('line.auto.create.new.tables')).toBe('false');
  expect(value('line.tcp.enabled')).toBe('false');
  expect(value('cairo.writer.data.append.page.size')).toBe('128K');
  expect(value('cairo.wal.writer.data.append.page.size')).toBe('128K');
  expect(value('shared.worker.nap.threshold')).toBe('100');
  expect(value('wal.apply.worker.nap.threshold')).toBe('100');
  for (const name of ['http.bind.to', 'http.min.net.bind.to', 'pg.net.bind.to']) {
    expect(value(name)).toMatch(/^127\.0\.0\.1:\d+$/);
  }
});

test('the read-only user can select and cannot write', async () => {
  await sql(
    urls.questdbPgUrl,
    'create table reader_test (ts timestamp, v long) timestamp(ts) partition by day wal',
  );
  await sql(urls.questdbPgUrl, "insert into reader_test values ('2024-01-01T00:00:00Z', 7)");
  await sql(urls.questdbPgUrl, "select wait_wal_table('reader_test')");
  expect(await sql(urls.questdbReadonlyPgUrl, 'select v from reader_test')).toEqual([{ v: '7' }]);
  for (const text of [
    "insert into reader_test values ('2024-01-01T00:00:01Z', 8)",
    'drop table reader_test',
    'create table x (a int)',
  ]) {
    await expect(sql(urls.questdbReadonlyPgUrl, text)).rejects.toThrow(/permission denied/i);
  }
});

test('the read-only user cannot write a file on the server; /exp answers', async () => {
  await sql(urls.questdbPgUrl, 'create table copy_test (ts timestamp, v long) timestamp(ts)');
  for (const text of [
    "copy (select * from copy_test) to 'secret' with format parquet",
    "copy copy_test to 'secret' with format parquet",
  ])
    await expect(sql(urls.questdbReadonlyPgUrl, text)).rejects.toThrow(/COPY TO is disabled/);
  const files = await readdir(path.join(own.options.homeDir, 'questdb'), { recursive: true });
  expect(files.filter((name) => name.includes('secret'))).toEqual([]);
  const { origin, username, password } = new URL(urls.questdbHttpUrl);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  for (const [format, start] of [
    ['csv', '"ts","v"'],
    ['parquet', 'PAR1'],
  ] as const) {
    const query = new URLSearchParams({ query: 'select * from copy_test', fmt: format });
    const answer = await fetch(`${origin}/exp?${query.toString()}`, { headers: { authorization } });
    expect(answer.status).toBe(200);
    expect((await answer.text()).slice(0, start.length)).toBe(start);
  }
});

test('a second call returns the same URLs and starts nothing', async () => {
  const before = startsSaid();
  expect(await own.start()).toEqual(urls);
  expect(startsSaid()).toBe(before);
  expect(await findServices(own.options)).toEqual(urls);
});

test('a killed Redis is started again on its data, and QuestDB keeps running', async () => {
  await onRedis(async (redis) => redis.set('kept', 'yes'));
  const questdb = await pidOf('questdb');
  process.kill(await pidOf('redis'), 'SIGKILL');
  expect(await own.start()).toEqual(urls);
  expect(await onRedis(async (redis) => redis.get('kept'))).toBe('yes');
  expect(await pidOf('questdb')).toBe(questdb);
});

test('a killed QuestDB is started again on its data', async () => {
  await sql(
    urls.questdbPgUrl,
    'create table kept (ts timestamp, v long) timestamp(ts) partition by day wal',
  );
  await sql(urls.questdbPgUrl, "insert into kept values ('2024-01-01T00:00:00Z', 42)");
  process.kill(await pidOf('questdb'), 'SIGKILL');
  expect(await own.start()).toEqual(urls);
  await sql(urls.questdbPgUrl, "select wait_wal_table('kept')");
  expect(await sql(urls.questdbPgUrl, 'select v from kept')).toEqual([{ v: '42' }]);
});

test('a service that fails to start is reported with the end of its log', async () => {
  const broken = await makeOwnServices();
  onTestFinished(async () => broken.dispose());
  const options = {
    ...broken.options,
    childEnv: {
      ...broken.options.childEnv,
      PATH: `${import.meta.dirname}/../support/broken-redis:${process.env['PATH'] ?? ''}`,
    },
  };
  await expect(ensureServices(options)).rejects.toMatchObject({
    code: 'SERVICE_START_FAILED',
    message: expect.stringContaining('this Redis refuses to start') as string,
  });
});

// Must be last: it stops the services of this file.
test('stopping leaves nothing running, and keeps the data for the next start', async () => {
  const pids = [await pidOf('redis'), await pidOf('questdb')];
  expect(await stopServices(own.options)).toEqual({ stopped: ['Redis', 'QuestDB'] });
  // Their parent is this process, which is notified of the exit a moment later.
  await expect.poll(() => pids.map(isRunning)).toEqual([false, false]);
  expect(await findServices(own.options)).toBeUndefined();
  expect(await stopServices(own.options)).toEqual({ stopped: [] });
  expect(await own.start()).toEqual(urls);
  expect(await onRedis(async (redis) => redis.get('kept'))).toBe('yes');
});
