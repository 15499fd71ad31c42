import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differenceOf, factsOfSeries, factsOfStore } from '../demo/own-sums.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { createStack, docker, type Stack } from './stack.ts';

/** The main job through docker-compose.yml: three workers, one of them killed, the result proven. The order matters. */

const SYMBOL = 'BTCUSDT';
const FROM = '2025-06-02';
const TO = '2025-06-03';
const DAY = { symbol: SYMBOL, fromUs: Date.parse(FROM) * 1000, toUs: Date.parse(TO) * 1000 };
const RANGE = [SYMBOL, '--from', FROM, '--to', TO];
/** Includes two hours before and after, since a day is proven by the trades around it. */
const MADE_UP = {
  seed: 20250602,
  fromMs: Date.parse('2025-06-01T22:00Z'),
  toMs: Date.parse('2025-06-03T02:00Z'),
  tradesPerHour: 15_000,
  firstId: 3_600_000_000,
};
/** A worker is killed when this many rows are stored, about a sixth of the day. */
const KILL_AFTER_ROWS = 60_000;
const HOURS = 24;
const WORKERS = 3;

const trades = syntheticTrades(MADE_UP);
const expected = factsOfSeries(trades, DAY);
const exchangeTrades = [
  SYMBOL,
  MADE_UP.seed,
  new Date(MADE_UP.fromMs).toISOString(),
  new Date(MADE_UP.toMs).toISOString(),
  MADE_UP.tradesPerHour,
  MADE_UP.firstId,
].join(':');
const hasServe = existsSync(path.join(import.meta.dirname, '../../src/cli/commands/serve.ts'));

let stack: Stack;
let sql: pg.Client;
let killed: string | undefined;

beforeAll(async () => {
  const image = process.env['CDVAULT_IMAGE'];
  if (image === undefined)
    throw new Error(
      'CDVAULT_IMAGE is not set: run scripts/compose-test.sh, which builds the image',
    );
  stack = await createStack(image, exchangeTrades);
  // Removes what an earlier run may have left when it was not ended properly.
  await stack.down();
});

afterAll(async () => {
  await sql?.end();
  await stack.down();
});

interface Service {
  readonly image: string;
  readonly read_only?: boolean;
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory: string } } };
  readonly ports?: readonly { readonly host_ip: string }[];
  readonly environment?: Readonly<Record<string, string>>;
}

test('services of every profile have loopback ports, pinned images, limits and no writable root', async () => {
  const text = await stack.compose('--profile', '*', 'config', '--format', 'json');
  const { services } = JSON.parse(text) as { services: Record<string, Service> };
  const { exchange: _, ...own } = services;
  expect(Object.keys(own).toSorted()).toEqual(
    ['grafana', 'questdb', 'redis', 'scheduler', 'serve', 'worker'].toSorted(),
  );
  for (const [name, service] of Object.entries(own)) {
    expect(service.ports?.every(({ host_ip }) => host_ip === '127.0.0.1') ?? true, name).toBe(true);
    expect(service.image === process.env['CDVAULT_IMAGE'] || /:\d/.test(service.image), name).toBe(
      true,
    );
    expect(Number(service.deploy?.resources.limits.memory), name).toBeGreaterThan(100_000_000);
    expect(service.read_only, name).toBe(true);
    expect(service.security_opt, name).toEqual(['no-new-privileges:true']);
  }
  expect(own['grafana']?.environment?.['GF_SECURITY_ADMIN_PASSWORD']).toBe('');
});

test('Redis, QuestDB and three workers come up healthy', async () => {
  await stack.compose('up', '-d', '--wait', 'redis', 'questdb', 'exchange');
  await stack.compose('up', '-d', '--wait', '--scale', `worker=${WORKERS}`, 'worker');
  for (const [service, count] of [
    ['redis', 1],
    ['questdb', 1],
    ['worker', WORKERS],
  ] as const) {
    const ids = await stack.containers(service);
    const states = ids.map(async (id) => stack.inspect(id, '{{.State.Health.Status}}'));
    expect(await Promise.all(states), service).toEqual(Array(count).fill('healthy'));
  }
  sql = new pg.Client({
    connectionString: stack.readonlyPgUrl,
    types: { getTypeParser: () => String },
  });
  await sql.connect();
});

test('Redis and QuestDB have the settings that the queue and the tables rely on', async () => {
  const redis = new Redis(stack.redisUrl);
  try {
    const names = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save'];
    const answers = await Promise.all(names.map(async (name) => redis.config('GET', name)));
    expect(answers.map((answer) => answer[1])).toEqual(['yes', 'everysec', 'noeviction', '']);
  } finally {
    redis.disconnect();
  }
  const { rows } = await sql.query<Record<string, string>>('show parameters');
  const value = (name: string) => rows.find((row) => row['property_path'] === name)?.['value'];
  expect(value('cairo.commit.mode')).toBe('sync');
  expect(value('telemetry.enabled')).toBe('false');
  expect(value('line.auto.create.new.columns')).toBe('false');
  expect(value('line.auto.create.new.tables')).toBe('false');
  expect(value('line.tcp.enabled')).toBe('false');
  expect(value('cairo.writer.data.append.page.size')).toBe('128K');
  expect(value('cairo.wal.writer.data.append.page.size')).toBe('128K');
  expect(value('shared.worker.nap.threshold')).toBe('100');
  expect(value('wal.apply.worker.nap.threshold')).toBe('100');
});

test('a worker is not root, can write only to /tmp, and has no tools to build or install with', async () => {
  const look = [
    'id -u',
    'touch /app/x 2>/dev/null || echo read-only',
    'touch /tmp/x && echo writable',
    'for tool in npm npx corepack gcc make python3 git; do command -v $tool; done; echo none',
    // The compile cache of Node.js for the sources, made with the image.
    'ls compiled | wc -l',
  ].join('; ');
  const out = await stack.compose('exec', '-T', 'worker', 'sh', '-c', look);
  expect(out).toBe('1000\nread-only\nwritable\nnone\n1');
});

test('a day is queued, and one of three workers is killed during the work', async () => {
  const queued = await stack.cdvault('backfill', ...RANGE, '--source', 'rest', '--detach');
  expect(queued.exitCode, queued.stderr).toBe(0);
  await until(async () => (await storedRows()) >= KILL_AFTER_ROWS);
  [, killed = ''] = await stack.containers('worker');
  await docker('kill', killed);
  expect(await storedRows()).toBeLessThan(expected.rows);
  expect(await stack.inspect(killed, '{{.State.ExitCode}}')).toBe('137');
});

test('the other two workers finish the day', async () => {
  await until(async () => (await provenHours()) === HOURS && (await isIdle()));
  // Checks that the killed worker had hours in progress; else the test would prove little.
  expect(await stack.compose('logs', 'worker')).toMatch(/A job lost its worker and runs again/);
});

test('the same command finds nothing to fetch and exits with 0', async () => {
  const again = await stack.cdvault('backfill', ...RANGE, '--source', 'rest', '--json');
  expect(again.exitCode, again.stderr).toBe(0);
  const summary = linesOf(again.stdout).find(({ type }) => type === 'summary');
  expect(summary).toMatchObject({
    proven: HOURS,
    gap: 0,
    open: 0,
    unknown: 0,
    rows: expected.rows,
    barsDue: false,
    work: { tradeRequests: 0, rows: 0 },
  });
});

test('verify inside the stack reports the day as proven and exits with 0', async () => {
  const verified = await stack.cdvault('verify', ...RANGE);
  expect(verified.exitCode, verified.stderr).toBe(0);
  expect(verified.stdout).toMatch(/^proven: 1 day, /m);
});

test('trades, ids, sums and the levels of every minute equal those of the exchange', async () => {
  expect(differenceOf(expected, await factsOfStore(sql, DAY))).toBeUndefined();
});

test('the scheduler stores its symbols and exits', async () => {
  await stack.compose('run', '--rm', '-T', 'scheduler', 'schedule', SYMBOL, '--last', '3h');
  // A free worker takes the tick and requests the hours, which are open, since the exchange has no trades of today.
  await until(async () => openHours(await status()) === 3);
  const end = await stack.cdvault('unschedule', SYMBOL);
  expect(end.exitCode, end.stderr).toBe(0);
});

test.skipIf(!hasServe)('serve is healthy, and requires its password', async () => {
  await stack.compose('up', '-d', '--wait', 'serve');
  const url = `http://127.0.0.1:${stack.ports.serve}`;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  const authorization = `Basic ${Buffer.from(`cdvault:${stack.servePassword}`).toString('base64')}`;
  const metrics = await fetch(`${url}/metrics`, { headers: { authorization } });
  expect(metrics.status).toBe(200);
});

test('workers that are told to stop finish their hours and exit with 0', async () => {
  const range = [SYMBOL, '--from', '2025-06-01T22:00Z', '--to', FROM];
  const queued = await stack.cdvault('backfill', ...range, '--source', 'rest', '--detach');
  expect(queued.exitCode, queued.stderr).toBe(0);
  await until(async () => (await storedRows()) > expected.rows);
  await stack.compose('stop', 'worker');
  const left = (await stack.containers('worker')).filter((id) => id !== killed);
  const codes = left.map(async (id) => stack.inspect(id, '{{.State.ExitCode}}'));
  expect(await Promise.all(codes)).toEqual(Array(WORKERS - 1).fill('0'));
  const after = await stack.cdvault('status', '--json');
  expect(jobsOf(JSON.parse(after.stdout) as Status, 'active')).toBe(0);
});

/** Polls every half second; the timeout of the test ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(500);
}

async function numberOf(query: string): Promise<number> {
  const { rows } = await sql.query<{ n: string }>(query);
  return Number(rows[0]?.n);
}

const storedRows = async () => numberOf(`select count() n from trades where symbol = '${SYMBOL}'`);

const provenHours = async () =>
  numberOf(`select count() n from coverage where symbol = '${SYMBOL}' and verdict = 'proven'`);

function linesOf(json: string): Record<string, unknown>[] {
  return json.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The part of `status --json` that the tests use. */
interface Status {
  readonly coverage: readonly { readonly open: number }[];
  readonly queues: readonly { readonly waiting: number; readonly active: number }[];
}

/** Runs `status` in a worker. Exit code 3, which says that some hour is not proven, is accepted. */
async function status(): Promise<Status> {
  const [worker = ''] = (await stack.containers('worker')).filter((id) => id !== killed);
  const ask = 'cdvault status --json || [ $? = 3 ]';
  return JSON.parse(await docker('exec', worker, 'sh', '-c', ask)) as Status;
}

const openHours = ({ coverage }: Status) => coverage.reduce((sum, { open }) => sum + open, 0);

const jobsOf = ({ queues }: Status, state: 'waiting' | 'active') =>
  queues.reduce((sum, counts) => sum + counts[state], 0);

async function isIdle(): Promise<boolean> {
  const now = await status();
  return jobsOf(now, 'waiting') + jobsOf(now, 'active') === 0;
}
