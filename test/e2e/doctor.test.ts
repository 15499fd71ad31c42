import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { UnrecoverableError, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grafanaFacts } from '../../src/adapters/grafana/grafana-facts.ts';
import { convert } from '../../src/adapters/questdb/parquet.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import type { Check } from '../../src/app/doctor/check.ts';
import type { Fix } from '../../src/app/doctor/fix.ts';
import type { App } from '../../src/cli/compose.ts';
import type { GrafanaFacts } from '../../src/ports/doctor.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { devModeEnv, makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { proxied, proxyServices } from '../support/proxied-services.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { tradesTable } from '../support/store.ts';
import { eventually, Rig, spot } from './rig.ts';

/** Faults of every group, planted in services of this test's own. The order of the tests matters. */
const FROM = Date.UTC(2024, 8, 2);
const MINUTES_MS = 60_000;
const symbol = unique('DOC');
const series = spot(symbol);

let own: OwnServices;
let rig: Rig;
let app: App;
let sql: Sql;
let disk: SmallDisk;
let whyNoDisk: string | undefined;
let table: string;
/** How far the exchange's clock is ahead of ours. */
let aheadMs = 0;

beforeAll(async () => {
  own = await makeOwnServices(devModeEnv());
  disk = new SmallDisk(path.join(own.options.homeDir, 'questdb'));
  whyNoDisk = await disk.mount();
  const trades = syntheticTrades({
    seed: 5,
    fromMs: FROM - HOUR_MS,
    toMs: FROM + 3 * HOUR_MS,
    tradesPerHour: 30,
  });
  rig = await Rig.start({
    symbols: [{ symbol, trades }],
    services: await own.start(),
    nowMs: () => Date.now() + aheadMs,
  });
  app = await rig.app();
  sql = createSql(rig.services.questdbPgUrl, 2);
  await rig.backfill(app, [series], { startMs: FROM, endMs: FROM + HOUR_MS });
  table = await tradesTable(sql, symbol);
}, 120_000);

afterAll(async () => {
  await sql.close();
  await rig.dispose();
  await own.stop();
  if (whyNoDisk === undefined) await disk.unmount();
  await own.dispose();
});

interface Report {
  readonly exitCode: number | undefined;
  readonly checks: readonly Check[];
  readonly fixes: readonly Fix[];
}

/** What was found and mended, as a table; a fault is named once. */
const told = new Map<string, string>();

function tell({ checks, fixes }: Report): void {
  for (const { group, name, state, fact, cure = '' } of checks) {
    const key = `${group} ${name}`;
    if (state === 'fail' || state === 'warn')
      told.set(`${key} ${fact.replaceAll(/\d+/g, '')}`, `${state} | ${key} | ${fact} | ${cure}`);
  }
  for (const { what, state, fact } of fixes)
    told.set(`${what} ${state}`, `--fix | ${what} | ${state}: ${fact} |`);
}

afterAll(() => {
  const rows = [...told.values()].map((row) => `| ${row.replaceAll('\n', ' ')} |`);
  process.stdout.write(['what doctor said of planted faults', ...rows, ''].join('\n'));
});

/** By default as on the machine of the services, which knows their folder. */
async function doctor(
  args: readonly string[] = [],
  more: Readonly<Record<string, string>> = {
    CDVAULT_HOME: own.options.homeDir,
    CDVAULT_SERVICES: 'native',
  },
): Promise<Report> {
  const { exitCode, stdout, stderr } = await rig.cli(['doctor', '--json', ...args], more);
  expect(stderr).toBe('');
  const { checks, fixes } = JSON.parse(stdout) as Report;
  const report = { exitCode, checks, fixes };
  tell(report);
  return report;
}

function check({ checks }: Report, name: string): Check {
  const found = checks.find((one) => `${one.group} ${one.name}` === name);
  if (found === undefined) throw new Error(`no check ${name}`);
  return found;
}

const bad = ({ checks }: Report) =>
  checks
    .filter(({ state }) => state === 'fail' || state === 'warn')
    .map(({ group, name }) => `${group} ${name}`);

test('where everything is right, it finds nothing, as text within 80 columns', async () => {
  const report = await doctor();
  expect(bad(report)).toEqual([]);
  expect(report.exitCode).toBe(0);
  expect(check(report, 'QuestDB tables').fact).toMatch(/^\d+ tables with their columns, WAL and/);
  expect(check(report, 'QuestDB disk').state).toBe('ok');
  expect(check(report, 'QuestDB memory maps').fact).toMatch(/1 series may need 252$/);
  expect(check(report, 'exchange spot clock').fact).toMatch(/^answers; this clock is /);
  const worker = rig.work(app);
  const { stdout, exitCode } = await rig.cli(['doctor']);
  await worker.stop();
  expect(stdout).toMatch(/OK {4}workers +0 jobs waiting, 1 worker$/m);
  expect(exitCode).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(/^\d+ ok, 0 warnings, 0 failures$/);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

/** A real failed job, and one whose worker has died. */
async function breakJobs(): Promise<void> {
  const queue = rig.raw('slice-binance_spot');
  const connection = { url: rig.services.redisUrl };
  await queue.add('slice', {});
  const failing = new Worker(
    queue.name,
    async () => Promise.reject(new UnrecoverableError('RETENTION: too old')),
    { connection, prefix: rig.name },
  );
  await eventually('the job has failed', async () => (await queue.getFailedCount()) === 1);
  await failing.close();
  await rig.raw('bars').add('bars', {});
  const dying = new Worker('bars', null, { connection, prefix: rig.name, autorun: false });
  const job = await dying.getNextJob('token', { block: false });
  await dying.close();
  await rig.redis().del(`${rig.name}:bars:${job?.id ?? ''}:lock`);
  await rig.raw('chain').add('chain', {});
}

const setSchedule = async (fromMs: number | undefined) => {
  const facts = await app.catalogue.find(series);
  if (facts !== undefined) await app.catalogue.setSchedule(facts, fromMs);
};

const GAP = `INSERT INTO gaps (ts, market, symbol, class, from_id) VALUES ('2024-01-01', 'binance_spot', '${symbol}', 'halt', 1)`;

/** As compact does, without the encodings that it sets first. */
async function toParquet(name: string): Promise<void> {
  for (const year of ['2020', '2021'])
    await sql.query(`INSERT INTO ${name} (ts, market, symbol) VALUES ('${year}', 'other', 'X')`);
  await sql.waitApplied(name);
  await convert(sql, name, 'PARQUET', ['2020']);
  await sql.query(`INSERT INTO compactions (ts, table_name) VALUES ('2020', '${name}')`);
  await sql.waitApplied('compactions');
}

describe('fourteen faults at once', () => {
  let report: Report;

  beforeAll(async () => {
    // First, since BullMQ prints a warning about the policy.
    await breakJobs();
    await rig.redis().config('SET', 'maxmemory-policy', 'allkeys-lru');
    await rig.redis().config('SET', 'appendonly', 'no');
    await setSchedule(FROM);
    await sql.query("INSERT INTO schema_migrations VALUES (0::timestamp, '99_x.sql', true)");
    await sql.query('DROP VIEW cdv_1m');
    await sql.query('CREATE OR REPLACE VIEW trades AS (SELECT ts FROM slices)');
    await sql.query(`ALTER TABLE ${table} DEDUP DISABLE`);
    await sql.query("ALTER TABLE gaps SUSPEND WAL WITH 'DISK FULL', 'no room'");
    await sql.query(GAP);
    await toParquet('archive_files');
    if (whyNoDisk === undefined) await disk.fill(500_000);
    aheadMs = 5 * MINUTES_MS;
    report = await doctor();
  });

  test.each<[string, Check['state'], RegExp, RegExp]>([
    ['Redis policy', 'fail', /allkeys-lru/, /CONFIG SET maxmemory-policy noeviction/],
    ['Redis append-only', 'warn', /off/, /CONFIG SET appendonly yes/],
    ['QuestDB suspended', 'fail', /gaps: 1 transaction not visible \(DISK FULL\)/, /doctor --fix/],
    ['QuestDB views', 'fail', /1 missing, \d+ invalid: cdv_1m/, /doctor --fix/],
    ['QuestDB tables', 'fail', /has no dedup keys/, /DEDUP ENABLE UPSERT KEYS\(ts, agg_id\)/],
    ['QuestDB Parquet', 'warn', /columns of archive_files/, /compact --undo/],
    ['store migrations', 'fail', /99_x\.sql/, /release that made it/],
    ['store series', 'warn', /1 statement due/, /cdvault migrate/],
    ['queue failed', 'warn', /1 job, the newest a slice job: RETENTION/, /doctor --fix forgets/],
    ['queue stalled', 'warn', /the worker of 1 job is lost/, /cdvault worker/],
    ['queue schedule', 'fail', /1 scheduled series is lost/, /doctor --fix/],
    ['queue workers', 'warn', /1 job waiting, 0 workers/, /cdvault worker/],
    ['exchange spot clock', 'fail', /5 min behind/, /set-ntp true/],
  ])('%s', (name, state, fact, cure) => {
    const found = check(report, name);
    expect(found.state).toBe(state);
    expect(found.fact).toMatch(fact);
    expect(found.cure).toMatch(cure);
  });

  test('QuestDB disk', ({ skip }) => {
    if (whyNoDisk !== undefined) skip(whyNoDisk);
    expect(check(report, 'QuestDB disk')).toMatchObject({ state: 'fail', code: 'DISK_TOO_SMALL' });
    expect(check(report, 'QuestDB disk').fact).toMatch(/^4\d\d\.\d MiB of .* free; /);
  });

  test('nothing else, and exit code 7', () => {
    expect(report.exitCode).toBe(7);
    const planted = 13 + (whyNoDisk === undefined ? 1 : 0);
    expect(bad(report)).toHaveLength(planted);
  });
});

describe('--fix', () => {
  test('makes the view, puts the tick back, forgets the failed job; a full disk keeps the table suspended', async () => {
    const { fixes, checks } = await doctor(['--fix']);
    const isDone = Object.fromEntries(fixes.map(({ what, state }) => [what, state]));
    const isRefused = whyNoDisk === undefined ? 'refused' : 'done';
    expect(isDone).toEqual({
      'suspended gaps': isRefused,
      views: 'done',
      schedule: 'done',
      failed: 'done',
    });
    if (whyNoDisk === undefined) expect(fixes[0]?.fact).toMatch(/^its disk has 4\d\d\.\d MiB left/);
    for (const name of ['QuestDB views', 'queue schedule', 'queue failed'])
      expect(check({ exitCode: 0, checks, fixes }, name).state).toBe('ok');
    expect(await app.queue.hasTick()).toBe(true);
    await sql.query('SELECT count() FROM cdv_1m');
  });

  test('resumes the table once the disk has room; what was written meanwhile is there', async () => {
    if (whyNoDisk === undefined) await disk.makeRoom();
    const { fixes, checks } = await doctor(['--fix']);
    if (whyNoDisk === undefined)
      expect(fixes).toMatchObject([{ what: 'suspended gaps', state: 'done' }]);
    expect(check({ exitCode: 0, checks, fixes }, 'QuestDB suspended').state).toBe('ok');
    const rows = await sql.query(`SELECT count() AS rows FROM gaps WHERE symbol = '${symbol}'`);
    expect(rows).toEqual([{ rows: '1' }]);
  });

  test('a transaction that cannot be applied suspends the table again: it says how to skip it', async () => {
    await sql.query('ALTER TABLE gaps SUSPEND WAL');
    await sql.query(GAP.replace("'2024-01-01'", "'2024-01-02'"));
    await spoilNext('gaps');
    const { fixes, exitCode } = await doctor(['--fix']);
    expect(fixes).toMatchObject([{ what: 'suspended gaps', state: 'failed' }]);
    expect(fixes[0]?.fact).toMatch(/^suspended again at transaction \d+: /);
    expect(fixes[0]?.cure).toMatch(
      /^ALTER TABLE gaps RESUME WAL FROM TXN \d+, then run cdvault verify/,
    );
    expect(exitCode).toBe(7);
    await sql.query(/^(.*?),/.exec(fixes[0]?.cure ?? '')?.[1] ?? '');
    await sql.waitApplied('gaps');
  });
});

/** Overwrites the events of the newest segment of the table's log. */
async function spoilNext(name: string): Promise<void> {
  const [row] = await sql.query(
    `SELECT "walId" AS wal, "segmentId" AS segment FROM wal_transactions('${name}') ORDER BY "sequencerTxn" DESC LIMIT 1`,
  );
  const db = path.join(own.options.homeDir, 'questdb', 'db');
  const folder = (await readdir(db)).find(
    (one) => one.startsWith(`${name}~`) && !one.endsWith('.lock'),
  );
  const segment = path.join(db, folder ?? '', `wal${row?.['wal'] ?? ''}`, row?.['segment'] ?? '');
  await writeFile(path.join(segment, '_event'), Buffer.alloc(4_096, 0xff));
}

test('what was mended by hand is not found any more', async () => {
  await rig.redis().config('SET', 'maxmemory-policy', 'noeviction');
  await rig.redis().config('SET', 'appendonly', 'yes');
  await sql.query("INSERT INTO schema_migrations VALUES (0::timestamp, '99_x.sql', false)");
  await convert(sql, 'archive_files', 'NATIVE', ['2020']);
  await sql.query(`ALTER TABLE ${table} DEDUP ENABLE UPSERT KEYS(ts, agg_id)`);
  await app.prepare(AbortSignal.timeout(30_000));
  await setSchedule(undefined);
  await rig.wipeRedis();
  aheadMs = 0;
  expect(bad(await doctor())).toEqual([]);
});

describe('services that are away', () => {
  const GONE = '127.0.0.1:1';

  test('a ban is known from the store: the exchange is not asked, also without Redis', async () => {
    await app.governor.pause('binance_spot', 'banned', Date.now() + HOUR_MS);
    await rig.wipeRedis();
    const asked = rig.exchange.requests.entries.length;
    const [report, withoutRedis] = await Promise.all([
      doctor(),
      doctor([], { REDIS_URL: `redis://${GONE}/0` }),
    ]);
    expect(check(report, 'exchange spot access')).toMatchObject({
      state: 'fail',
      code: 'EXCHANGE_BANNED',
      cure: expect.stringContaining('Wait until then') as string,
    });
    expect(check(report, 'exchange spot clock').state).toBe('skipped');
    expect(bad(withoutRedis)).toEqual(['Redis answers', 'exchange spot access']);
    expect(check(withoutRedis, 'exchange spot access').code).toBe('EXCHANGE_BANNED');
    expect(check(withoutRedis, 'Redis answers').code).toBe('REDIS_UNREACHABLE');
    expect(check(withoutRedis, 'queue failed')).toMatchObject({
      state: 'skipped',
      fact: 'skipped: Redis does not answer',
    });
    expect(withoutRedis.exitCode).toBe(5);
    expect(rig.exchange.requests.entries).toHaveLength(asked);
  });

  test('QuestDB away: it fails once, and what needs it is skipped', async () => {
    const report = await doctor([], {
      QUESTDB_HTTP_URL: `http://${GONE}`,
      QUESTDB_PG_URL: `postgresql://${GONE}/qdb`,
      QUESTDB_READONLY_PG_URL: `postgresql://${GONE}/qdb`,
    });
    expect(bad(report)).toEqual(['QuestDB answers']);
    expect(check(report, 'QuestDB answers').code).toBe('STORE_UNREACHABLE');
    expect(check(report, 'Redis policy').state).toBe('ok');
    expect(check(report, 'exchange markets').state).toBe('skipped');
    expect(report.exitCode).toBe(5);
  });

  test('services that accept connections and say nothing', async () => {
    const proxies = await proxyServices(rig.services);
    for (const proxy of [proxies.redis, proxies.questdbHttp, proxies.questdbPg]) proxy.hang();
    const startMs = performance.now();
    const report = await doctor([], proxied(proxies));
    expect(performance.now() - startMs).toBeLessThan(30_000);
    expect(bad(report)).toEqual(['Redis answers', 'QuestDB answers']);
    await proxies.close();
  });

  test('nothing was ever started: it says how, and starts nothing', async () => {
    const home = path.join(own.options.homeDir, 'empty');
    const report = await doctor([], { CDVAULT_HOME: home, CDVAULT_SERVICES: 'native' });
    expect(bad(report)).toEqual(['Redis answers', 'QuestDB answers']);
    expect(check(report, 'Redis answers').cure).toBe('cdvault up');
    expect(report.exitCode).toBe(5);
    expect(await readdir(own.options.homeDir)).not.toContain('empty');
  });
});

describe('Grafana', () => {
  /** A stand-in: what it says of its data source. */
  let answer: readonly [status: number, body: unknown] = [
    404,
    { message: 'Data source not found' },
  ];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    const isHealth = request.url === '/api/health';
    const [status, body] = isHealth ? [200, { database: 'ok', version: '12.3.1' }] : answer;
    response.writeHead(status).end(JSON.stringify(body));
  });
  const url = () => `http://admin:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (token = ''): Promise<GrafanaFacts> =>
    grafanaFacts({ url: url(), token }, AbortSignal.timeout(10_000));

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  test('away, without its data source, with one that does not reach QuestDB, and with one that does', async () => {
    const [report, away] = await Promise.all([
      doctor([], { CDVAULT_GRAFANA_URL: url() }),
      doctor([], { CDVAULT_GRAFANA_URL: 'http://127.0.0.1:1' }),
    ]);
    expect(check(away, 'Grafana answers').code).toBe('GRAFANA_UNREACHABLE');
    expect(check(away, 'Grafana data source').state).toBe('skipped');
    expect(away.exitCode).toBe(5);
    expect(check(report, 'Grafana answers').fact).toContain('12.3.1');
    expect(check(report, 'Grafana data source').fact).toBe('cdvault: not found (HTTP 404)');
    expect(authorizations).toContain(`Basic ${Buffer.from('admin:secret').toString('base64')}`);
    answer = [400, { status: 'ERROR', message: 'connection refused' }];
    const unreached = { isFound: true, answers: false, message: 'connection refused' };
    expect((await ask()).dataSource).toEqual(unreached);
    answer = [200, { status: 'OK', message: 'Database Connection OK' }];
    expect((await ask('glsa_x')).dataSource).toMatchObject({ isFound: true, answers: true });
    expect(authorizations.at(-1)).toBe('Bearer glsa_x');
  });
});
