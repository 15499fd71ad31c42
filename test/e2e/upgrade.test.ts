import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  appliedMigrations,
  applyStatement,
  migrate,
  migrationFiles,
  statementsOf,
} from '../../src/adapters/questdb/migrate.ts';
import {
  seriesStatements,
  statementsFor,
  updateSeriesSchema,
} from '../../src/adapters/questdb/series-schema.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { exportSeries, RESULT_TABLES } from '../support/exports.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { silentLog } from '../support/store.ts';
import { Rig, spot } from './rig.ts';

const SYMBOL = 'OLDUSDT';
const HOUR = Date.UTC(2024, 0, 1, 10);
const FROM_TO = ['--from', '2024-01-01T10:00Z', '--to', '2024-01-01T11:00Z'];

let own: OwnServices;
let services: Awaited<ReturnType<OwnServices['start']>>;
let rig: Rig;
let sql: Sql;
let app: App;
let before: Awaited<ReturnType<typeof stored>>;

/** What a release of that time knew; later migrations add columns to `series`. */
async function stored() {
  const tables = RESULT_TABLES.filter((table) => table !== 'series');
  const names =
    'ts, market, symbol, origin, scheduled_from, contract_size, generation, trades_table, trades_view';
  return {
    rows: await exportSeries(services, SYMBOL, tables),
    series: await sql.query(`SELECT ${names} FROM series WHERE symbol = '${SYMBOL}'`),
  };
}

/** A store as a release with the migrations 01 to 05 has left it. */
beforeAll(async () => {
  own = await makeOwnServices();
  services = await own.start();
  sql = createSql(services.questdbPgUrl, 2);
  const files = migrationFiles().then((all) => all.slice(0, 5));
  await migrate(sql, silentLog, { files });
  const names = { table: 'agg_trades_spot_oldusdt_1', view: 'trades_spot_oldusdt' };
  const templates = await seriesStatements(files);
  for (const statement of statementsFor(templates, { ...spot(SYMBOL), ...names }, 'MONTH'))
    await applyStatement(sql, statement);
  const rows = await readFile(path.join(import.meta.dirname, 'old-store-05.sql'), 'utf8');
  for (const statement of statementsOf(rows).statements) await sql.query(statement);
  await updateSeriesSchema(sql, templates);
  before = await stored();
  expect(before.series).toHaveLength(1);

  const trades = syntheticTrades({
    seed: 5,
    fromMs: HOUR,
    toMs: HOUR + HOUR_MS,
    tradesPerHour: 60,
  });
  rig = await Rig.start({ services, symbols: [{ symbol: SYMBOL, trades }] });
  app = await rig.app();
});

afterAll(async () => {
  await rig.dispose();
  await sql.close();
  await own.dispose();
});

test('a store of the migrations 01 to 05 gets the later ones, and keeps its rows', async () => {
  const all = await migrationFiles();
  expect(await appliedMigrations(sql)).toEqual(all.map(({ name }) => name));
  expect(await stored()).toEqual(before);
  const counts = { coverage: 1, trades: 6, cdv_1m: 60, cdv_1d_total: 1, bars_5m: 12, tiers_1h: 4 };
  for (const [view, count] of Object.entries(counts)) {
    const [row] = await sql.query(`SELECT count() AS n FROM ${view} WHERE symbol = '${SYMBOL}'`);
    expect(Number(row?.['n']), view).toBe(count);
  }
});

test('every command reads it; it is proven, and nothing is due', async () => {
  const verified = await rig.cli(['verify', SYMBOL, ...FROM_TO, '--no-klines']);
  expect({ ...verified }).toMatchObject({ exitCode: 0 });
  const plan = await rig.cli(['plan', SYMBOL, ...FROM_TO, '--json']);
  expect(JSON.parse(plan.stdout.split('\n')[0] ?? '')).toMatchObject({
    series: [{ dueHours: 0, dueBarDays: 0 }],
  });
  for (const command of [
    ['backfill', SYMBOL, ...FROM_TO],
    ['fingerprint', SYMBOL, ...FROM_TO],
    ['show', SYMBOL, ...FROM_TO, '--anchor', 'total'],
    ['status'],
    ['compact', SYMBOL, '--dry-run'],
    ['prune', SYMBOL, '--older-than', '30d', '--dry-run'],
    ['forget', SYMBOL, '--dry-run'],
  ]) {
    const result = await rig.cli(command);
    expect({ command, ...result }).toMatchObject({ exitCode: 0 });
  }
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
  expect(await stored()).toEqual(before);
  const api = await app.openApi();
  expect(JSON.stringify(await api.ask('/series', new URLSearchParams()))).toContain(SYMBOL);
  await api.close();
});
