import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hourLease } from '../../src/app/leases.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { exportSeries, RESULT_TABLES } from '../support/exports.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { NEVER } from '../support/store.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 2, 5);
const RANGE = { startMs: DAY, endMs: DAY + 4 * HOUR_MS };
const FROM_TO = ['--from', '2024-03-05', '--to', '2024-03-05T04:00Z'];
const [SYMBOL, OTHER] = [unique('GONE'), unique('STAYS')];
const [series, other] = [spot(SYMBOL), spot(OTHER)];
const VIEW = `trades_spot_${SYMBOL.toLowerCase()}`;
/** All that is stored but the row in `series`, which has the generation. */
const TABLES = RESULT_TABLES.filter((table) => table !== 'series');
const RECORDS = [
  'slices',
  'gaps',
  'bar_days',
  'anchors',
  'restatements',
  'archive_files',
  'prunings',
];
const VIEWS = [
  'coverage',
  'trades',
  'cdv_1m',
  'cdv_1m_total',
  'bars_1h',
  'cdv_1d',
  'tiers_1m',
  'tiers_1d',
];

let own: OwnServices;
let services: ProxiedServices;
let rig: Rig;
let app: App;
/** What is stored of both series when nothing was forgotten. */
let whole: Awaited<ReturnType<typeof exportSeries>>;
let ofOther: typeof whole;

beforeAll(async () => {
  own = await makeOwnServices();
  services = await proxyServices(await own.start());
  const of = (seed: number) =>
    syntheticTrades({ seed, fromMs: DAY - HOUR_MS, toMs: DAY + 2 * DAY_MS, tradesPerHour: 60 });
  const symbols = [
    { symbol: SYMBOL, trades: of(51) },
    { symbol: OTHER, trades: of(52) },
  ];
  rig = await Rig.start({ services: services.urls, symbols });
  app = await rig.app();
  // Hours of a later day, too: the partitions of the first can be stored as Parquet.
  const later = { startMs: DAY + DAY_MS, endMs: DAY + DAY_MS + HOUR_MS };
  for (const range of [RANGE, later]) await rig.backfill(app, [other], range);
  await fill();
  whole = await exportSeries(services.urls, SYMBOL, TABLES);
  ofOther = await exportSeries(services.urls, OTHER);
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
  await own.dispose();
});

const forget = async (...more: string[]) => rig.cli(['forget', SYMBOL, ...more]);

/** By the app of this file, which knows the name of each table that it has written to. */
async function fill(): Promise<void> {
  expect(await rig.backfill(app, [series], RANGE)).toMatchObject({ exitCode: 0 });
}

async function rowsOf(tables: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const [row] = await app.sql.query(
      `SELECT count() AS n FROM ${table} WHERE symbol = '${SYMBOL}'`,
    );
    if (row?.['n'] !== '0') counts[table] = Number(row?.['n']);
  }
  return counts;
}

async function expectNothingLeft(): Promise<void> {
  for (const table of RECORDS) await app.sql.waitApplied(table);
  expect(await rowsOf([...RECORDS, ...VIEWS])).toEqual({});
  expect(await app.forgetting.size(series)).toBeUndefined();
  const names = "SELECT table_name AS name FROM tables() WHERE table_name LIKE '%gone%'";
  expect(await app.sql.query(names)).toEqual([]);
  const chosen = 'SELECT DISTINCT symbol FROM series WHERE origin IS NOT NULL';
  expect(await app.sql.query(chosen)).toEqual([{ symbol: OTHER }]);
  await expect(app.sql.query(`SELECT count() FROM ${VIEW}`)).rejects.toThrow(/does not exist/);
  expect((await app.ledger.overview()).map(({ symbol }) => symbol)).toEqual([OTHER]);
  expect(await exportSeries(services.urls, OTHER)).toEqual(ofOther);
}

describe('forget', () => {
  beforeEach(async () => {
    if ((await app.forgetting.size(series)) === undefined) await fill();
  });

  test('says what it would drop, and changes nothing before it is confirmed', async () => {
    const dry = await forget('--dry-run');
    expect({ ...dry }).toMatchObject({ exitCode: 0 });
    expect(dry.stdout).toMatch(
      new RegExp(
        `^would drop {2}${SYMBOL} \\(spot\\): 1 day, \\d+ trades, [\\d.]+ [KM]iB of trades, `,
      ),
    );
    const unasked = await forget('--json');
    expect(unasked).toMatchObject({ exitCode: 2 });
    expect(unasked.stderr).toContain('would drop');
    expect(await exportSeries(services.urls, SYMBOL, TABLES)).toEqual(whole);
  });

  test('leaves nothing of it in tables, views, commands and lists, and other series as they were', async () => {
    const facts = await app.catalogue.find(series);
    if (facts === undefined) throw new Error('no series');
    await app.catalogue.setSchedule(facts, DAY, 'USDT');
    await app.sql.query("ALTER TABLE cdv_exact_5m CONVERT PARTITION TO PARQUET LIST '2024-03-05'");
    // A job that waits is dropped, too.
    await rig.enqueue(app, [series], { startMs: DAY, endMs: DAY + DAY_MS });
    const done = await forget('--yes', '--json');
    expect({ ...done }).toMatchObject({ exitCode: 0 });
    expect(done.stderr).toContain(`will schedule ${SYMBOL} again: schedule --all --quote USDT`);
    expect(JSON.parse(done.stdout)).toMatchObject({ type: 'forget', symbol: SYMBOL, days: 1 });
    await expectNothingLeft();
    const counts = await app.queue.counts();
    expect(counts.reduce((sum, { waiting, delayed }) => sum + waiting + delayed, 0)).toBe(0);

    for (const command of [
      ['verify', SYMBOL, ...FROM_TO],
      ['show', SYMBOL, ...FROM_TO],
      ['forget', SYMBOL, '--yes'],
    ]) {
      const refused = await rig.cli(command);
      expect(refused).toMatchObject({ exitCode: 2 });
      expect(refused.stderr).toContain(
        `error UNKNOWN_SYMBOL: no data of ${SYMBOL} (spot) is stored`,
      );
    }
    const status = await rig.cli(['status', '--json']);
    expect(status.stdout).toContain(OTHER);
    expect(status.stdout).not.toContain(SYMBOL);
    const api = await app.openApi();
    expect(JSON.stringify(await api.ask('/series', new URLSearchParams()))).not.toContain(SYMBOL);
    await api.close();
  });

  test('a job that was queued before refuses, and stores nothing', async () => {
    await forget('--yes');
    const runId = unique('run-');
    await app.queue.addFeed(runId, series, RANGE, 'rest');
    const workers = rig.work(app);
    await eventually(
      'the job has failed',
      async () => (await app.queue.failures(runId, 9)).length > 0,
    );
    await workers.stop();
    expect(await app.queue.failures(runId, 9)).toMatchObject([{ code: 'SERIES_FORGOTTEN' }]);
    await expectNothingLeft();
  });

  test('a later backfill begins as new, also by a worker that has written to the first table', async () => {
    const before = await app.catalogue.find(series);
    await forget('--yes');
    await fill();
    expect(await app.catalogue.find(series)).toEqual({
      ...before,
      generation: (before?.generation ?? 0) + 1,
    });
    expect(await exportSeries(services.urls, SYMBOL, TABLES)).toEqual(whole);
    const verified = await rig.cli(['verify', SYMBOL, ...FROM_TO, '--no-klines']);
    expect({ ...verified }).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ['answer', 'UPDATE slices'],
    ['request', 'UPDATE cdv_exact_5m'],
    ['answer', 'DROP TABLE'],
  ] as const)(
    'kill -9 with the %s of %s on its way: nothing of it is proven, and the next run ends it',
    async (side, statement) => {
      const held = services.questdbPg.hold(statement, side);
      const command = rig.startCli(['forget', SYMBOL, '--yes']);
      await held.reached;
      command.kill('SIGKILL');
      await command.done;
      await rig.expireLeases();
      await app.sql.waitApplied('slices');
      expect(await rowsOf(['slices', 'coverage'])).toEqual({});
      const refused = await rig.cli(['backfill', SYMBOL, ...FROM_TO, '--source', 'rest']);
      expect(refused).toMatchObject({ exitCode: 2 });
      expect(refused.stderr).toContain('error FORGET_UNFINISHED: cdvault forget ');
      expect(await forget('--yes')).toMatchObject({ exitCode: 0 });
      await expectNothingLeft();
    },
  );

  test('a job that begins before a refused forget has taken its mark back waits, and is done', async () => {
    const takeBack = await app.forgetting.begin(series);
    const runId = unique('run-');
    await app.queue.addFeed(runId, series, RANGE, 'rest');
    const workers = rig.work(app);
    const jobs = async (of: 'delayed' | 'waiting' | 'active') =>
      (await app.queue.counts()).reduce((sum, counts) => sum + counts[of], 0);
    await eventually('it has been tried', async () => (await jobs('delayed')) === 1);
    await takeBack();
    const left = async () =>
      (await jobs('delayed')) + (await jobs('waiting')) + (await jobs('active'));
    await eventually('it is done', async () => (await left()) === 0);
    await workers.stop();
    expect(await app.queue.failures(runId, 9)).toEqual([]);
  });

  test('is refused while a worker is at it, and changes nothing then', async () => {
    const lease = await app.leases.tryAcquire(hourLease({ ...series, hourMs: DAY }), NEVER);
    const facts = await app.catalogue.find(series);
    const refused = await forget('--yes');
    expect(refused).toMatchObject({ exitCode: 5 });
    expect(refused.stderr).toContain(
      `error SERIES_BUSY: ${SYMBOL} was not forgotten: a worker is at `,
    );
    await lease?.release();

    // An hour that the ledger does not have.
    const held = services.questdbPg.hold('INSERT INTO slices', 'request');
    const more = ['--from', '2024-03-05T04:00Z', '--to', '2024-03-05T05:00Z', '--source', 'rest'];
    const backfill = rig.startCli(['backfill', SYMBOL, ...more]);
    await held.reached;
    expect((await forget('--yes')).stderr).toContain('a worker is at slice 2024-03-05T04');
    held.release();
    expect(await backfill.done).toMatchObject({ exitCode: 0 });
    expect(await app.catalogue.find(series)).toEqual(facts);
  });
});
