import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyStatement, migrationFiles } from '../../src/adapters/questdb/migrate.ts';
import { checkSchema } from '../../src/adapters/questdb/server-check.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import { keepSchedule } from '../../src/app/jobs/keep-schedule.ts';
import { isDue, planSeries } from '../../src/app/plan/plan-series.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, floorTo, HOUR_MS, lastClosedHourEnd } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { NEVER } from '../support/store.ts';
import { hoursOfDay, referenceDay, withoutTrust } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

/** Tests that need their own store, since they would disturb others or be disturbed by them. Their order matters: the store starts empty. */
let own: OwnServices;
let services: ServiceUrls;
let sql: Sql;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await own.start();
  sql = createSql(services.questdbPgUrl, 2);
});

afterAll(async () => {
  await sql.close();
  await own.dispose();
});

let rig: Rig;
const NOW = Date.now();
const FROM = lastClosedHourEnd(NOW) - 30 * HOUR_MS;
const trades = syntheticTrades({
  seed: 91,
  fromMs: FROM - DAY_MS,
  toMs: FROM + 4 * DAY_MS,
  tradesPerHour: 20,
});
const symbol = unique('OWN');

beforeEach(async () => {
  rig = await Rig.start({ symbols: [{ symbol, trades }], services });
});

afterEach(async () => rig.dispose());

async function tables(): Promise<string[]> {
  const rows = await sql.query('SELECT table_name AS name FROM tables() ORDER BY table_name');
  return rows.map(({ name }) => name ?? '').filter((name) => !/^(sys|telemetry|_)/.test(name));
}

const BACKFILL = ['backfill', symbol, '--last', '1h'];

describe('a database that is not cdvault’s', () => {
  test.each([
    [
      'other columns',
      'slices',
      '(ts TIMESTAMP, price DOUBLE) TIMESTAMP(ts) PARTITION BY DAY WAL',
      /slices is not cdvault's: missing ts TIMESTAMP \(dedup key\), .*unexpected price DOUBLE/,
    ],
    [
      'other dedup keys',
      'series',
      '(ts TIMESTAMP, market SYMBOL, symbol SYMBOL, origin TIMESTAMP, scheduled_from TIMESTAMP) ' +
        'TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, symbol)',
      /series is not cdvault's: missing market SYMBOL \(dedup key\), .*unexpected market SYMBOL/,
    ],
  ])('with %s is refused with exit code 7 and not touched', async (_, table, definition, words) => {
    await sql.query(`CREATE TABLE ${table} ${definition}`);
    try {
      const { exitCode, stderr } = await rig.cli(BACKFILL);
      expect(stderr).toMatch(words);
      expect(stderr).toContain('error SCHEMA_MISMATCH: ');
      expect(stderr).toContain('Use another database root');
      expect(exitCode).toBe(7);
      expect(await tables()).toEqual([table]);
      expect(rig.exchange.requests.entries).toEqual([]);
    } finally {
      await sql.query(`DROP TABLE ${table}`);
    }
  });
});

describe('a store that another release made', () => {
  test.each([
    [
      'with its table of all trades',
      'agg_trades',
      ['(ts TIMESTAMP, market SYMBOL) TIMESTAMP(ts) PARTITION BY DAY WAL'],
      /made by another release of cdvault \(it has a table agg_trades\)/,
    ],
    [
      'with a migration that this one does not have',
      'schema_migrations',
      [
        '(ts TIMESTAMP, name SYMBOL, applied BOOLEAN) TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, name)',
        "INSERT INTO schema_migrations VALUES (0::timestamp, '0001_trades.sql', true)",
      ],
      /it has had migrations that this one does not know: 0001_trades\.sql/,
    ],
  ])('%s is refused and not touched', async (_, table, [definition, ...more], words) => {
    await sql.query(`CREATE TABLE ${table} ${definition}`);
    try {
      for (const statement of more) await sql.query(statement);
      await sql.waitApplied(table);
      const { exitCode, stderr } = await rig.cli(BACKFILL);
      expect(stderr).toMatch(words);
      expect(stderr).toContain('error SCHEMA_OF_OTHER_RELEASE: ');
      expect(stderr).toContain('Backfill into an empty QuestDB');
      expect(exitCode).toBe(7);
      expect(await tables()).toEqual([table]);
      expect(rig.exchange.requests.entries).toEqual([]);
    } finally {
      await sql.query(`DROP TABLE ${table}`);
    }
  });
});

test('a Redis that may evict keys is refused with advice, before anything is touched', async () => {
  await rig.redis().config('SET', 'maxmemory-policy', 'allkeys-lru');
  const { exitCode, stderr } = await rig.cli(BACKFILL);
  await rig.redis().config('SET', 'maxmemory-policy', 'noeviction');
  expect(stderr).toContain('error REDIS_POLICY: Redis has maxmemory-policy allkeys-lru');
  expect(stderr).toContain('CONFIG SET maxmemory-policy noeviction');
  expect(exitCode).toBe(7);
  expect(await tables()).toEqual([]);
  expect(rig.exchange.requests.entries).toEqual([]);
});

describe('migrations', () => {
  test('two processes that start at once on an empty store both succeed', async () => {
    const results = await Promise.all([rig.cli(['migrate']), rig.cli(['migrate'])]);
    const files = await migrationFiles();
    for (const { exitCode, stdout, stderr } of results) {
      expect(stderr).not.toContain('error');
      expect(exitCode).toBe(0);
      expect(stdout.trim().split('\n')).toEqual(files.map(({ name }) => name));
    }
    // One of them applied all migrations.
    const said = results.map(({ stderr }) => stderr.match(/(\d+) migrations applied/)?.[1]);
    expect(said.filter((count) => count !== undefined)).toEqual([String(files.length)]);
    expect(await sql.query('SELECT name, applied FROM schema_migrations ORDER BY name')).toEqual(
      files.map(({ name }) => ({ name, applied: 't' })),
    );
    await checkSchema(sql);
  });

  test('migrate does nothing the second time', async () => {
    const { exitCode, stderr } = await rig.cli(['migrate']);
    expect(stderr).not.toContain('applied');
    expect(exitCode).toBe(0);
  });

  test('every file can be applied twice', async () => {
    for (const { statements, ofSeries } of await migrationFiles()) {
      expect(statements.length + ofSeries.length).toBeGreaterThan(0);
      for (const statement of statements) await applyStatement(sql, statement);
    }
    await checkSchema(sql);
  });
});

describe('the schedule', () => {
  let app: App;
  const range = () => ({ startMs: FROM, endMs: lastClosedHourEnd(Date.now()) });
  const plan = async () => planSeries(app, spot(symbol), range());

  beforeEach(async () => {
    app = await rig.app();
  });

  /** Compares the bars of all days; the first day starts at FROM. */
  async function expectBars(): Promise<void> {
    const { endMs } = range();
    for (let dayMs = floorTo(FROM, DAY_MS); dayMs < endMs; dayMs += DAY_MS) {
      const hours = hoursOfDay(dayMs).filter((hourMs) => hourMs >= FROM && hourMs < endMs);
      for (const interval of ['1m', '1h', '1d'] as const) {
        const day = { startMs: dayMs, endMs: dayMs + DAY_MS };
        const bars = await app.bars.bars(spot(symbol), interval, day);
        expect(bars.map(withoutTrust)).toEqual(referenceDay(trades, dayMs, interval, { hours }));
      }
    }
  }

  test('two schedulers at once fetch every missing hour once', async () => {
    const from = ['--from', new Date(FROM).toISOString()];
    const scheduled = await Promise.all([
      rig.cli(['schedule', symbol, ...from]),
      rig.cli(['schedule', symbol, ...from]),
    ]);
    for (const result of scheduled) expect(result).toMatchObject({ exitCode: 0 });
    expect(await rig.raw('tick').getJobSchedulersCount()).toBe(1);

    const other = await rig.app();
    const workers = [rig.work(app), rig.work(other)];
    await Promise.all([
      keepSchedule(app, NEVER),
      keepSchedule(other, NEVER),
      keepSchedule(app, NEVER),
    ]);
    await eventually('nothing is due', async () => !isDue(await plan()));
    await rig.untilIdle(app);
    await Promise.all(workers.map(async (each) => each.stop()));

    const asked = rig.pages(symbol).map(({ query }) => query['fromId']);
    expect(asked.length).toBeGreaterThanOrEqual(30);
    expect(new Set(asked).size).toBe(asked.length);
    await expectBars();
  });

  test('the tick builds bars that are older than their hours, and requests no trades', async () => {
    const dayMs = floorTo(FROM, DAY_MS) + DAY_MS;
    const before = await app.bars.days(spot(symbol), { startMs: dayMs, endMs: dayMs + DAY_MS });
    const records = await app.ledger.records(spot(symbol), {
      startMs: dayMs,
      endMs: dayMs + DAY_MS,
    });
    expect(records.length).toBeGreaterThan(0);
    const minute = new Date(dayMs + 5 * 60_000).toISOString();
    await sql.query(
      `UPDATE cdv_exact_1m SET trades = 4711 WHERE symbol = '${symbol}' AND ts = '${minute}'`,
    );
    await sql.query(
      `UPDATE bar_days SET inputs = 'of another time' WHERE symbol = '${symbol}' AND ts = '${new Date(dayMs).toISOString()}'`,
    );
    await sql.waitApplied('cdv_exact_1m');
    await sql.waitApplied('bar_days');
    await expect(expectBars()).rejects.toThrow();
    expect(await plan()).toMatchObject({ dueHours: 0, dueBarDays: 1 });

    await app.queue.upsertTick(HOUR_MS);
    const workers = rig.work(app);
    const tick = rig.raw('tick');
    await eventually(
      'a tick waits',
      async () => (await tick.getDelayedCount()) > 0 || !isDue(await plan()),
    );
    for (const job of await tick.getDelayed()) await job.promote();
    await eventually('nothing is due', async () => !isDue(await plan()));
    await rig.untilIdle(app);
    await workers.stop();
    await expectBars();
    expect(await app.bars.days(spot(symbol), { startMs: dayMs, endMs: dayMs + DAY_MS })).toEqual(
      before,
    );
    expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  });

  test('unschedule ends the schedule: what is due later stays due', async () => {
    await app.queue.upsertTick(HOUR_MS);
    const { exitCode, stdout } = await rig.cli(['unschedule', symbol]);
    expect(stdout).toContain(`${symbol}: no longer scheduled`);
    expect(exitCode).toBe(0);
    expect(await rig.raw('tick').getJobSchedulersCount()).toBe(0);
    await sql.query(`UPDATE bar_days SET inputs = 'of another time' WHERE symbol = '${symbol}'`);
    await sql.waitApplied('bar_days');
    expect(isDue(await plan())).toBe(true);
    await keepSchedule(app, NEVER);
    // A tick that was already waiting may still run; like the call above, it finds nothing to schedule.
    await rig.untilIdle(app);
    expect(rig.exchange.requests.entries).toEqual([]);
    expect(isDue(await plan())).toBe(true);
    expect(await rig.cli(['unschedule', symbol])).toMatchObject({ exitCode: 2 });
  });
});
