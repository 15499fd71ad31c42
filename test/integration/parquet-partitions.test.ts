import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyStatement } from '../../src/adapters/questdb/migrate.ts';
import { convert, parquetPartitions, setEncodings } from '../../src/adapters/questdb/parquet.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { NEVER, openStore, uniqueSeries } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';

const DAY = Date.UTC(2024, 0, 1);

let own: OwnServices;
let sql: Sql;
let store: ReturnType<typeof openStore>;

/** A store of its own: what these tests are about has ended servers. */
beforeAll(async () => {
  own = await makeOwnServices();
  const services = await own.start();
  const app = compose(loadConfig(), services);
  await app.prepare(NEVER);
  await app.close();
  sql = createSql(services.questdbPgUrl, 2);
  store = openStore(services);
});

afterAll(async () => {
  await store.close();
  await sql.close();
  await own.dispose();
});

/** A table with a day in Parquet and a day as written. */
async function halfParquet(name: string): Promise<string> {
  const series = uniqueSeries(name);
  const busy = { rows: 100_000, firstUs: DAY * 1000, lastUs: (DAY + DAY_MS) * 1000 };
  const table = await store.tables.forWriting(series, busy, NEVER);
  const trades = [tradeOf(1, DAY), tradeOf(2, DAY + 1), tradeOf(3, DAY + DAY_MS)];
  await store.trades.write(series, trades, NEVER);
  await sql.waitApplied(table);
  await setEncodings(sql, table);
  await convert(sql, table, 'PARQUET', ['2024-01-01']);
  expect(await parquetPartitions(sql, table)).toEqual(['2024-01-01']);
  return table;
}

test('the encodings are set once, and each conversion can be undone', async () => {
  const table = await halfParquet('ENC');
  const statements: string[] = [];
  const seen: Sql = {
    ...sql,
    async query(text, values) {
      statements.push(text);
      return sql.query(text, values);
    },
  };
  await setEncodings(seen, table);
  expect(statements.filter((text) => text.startsWith('ALTER'))).toEqual([]);
  const rows = `SELECT * FROM ${table} ORDER BY agg_id`;
  const before = await sql.query(rows);
  expect(before).toHaveLength(3);
  await convert(sql, table, 'NATIVE', ['2024-01-01']);
  expect(await parquetPartitions(sql, table)).toEqual([]);
  expect(await sql.query(rows)).toEqual(before);
});

test('a migration that adds a column makes Parquet partitions native first; the server lives', async () => {
  const table = await halfParquet('ADDCOL');
  await applyStatement(sql, `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS note VARCHAR`);
  expect(await parquetPartitions(sql, table)).toEqual([]);
  expect(await sql.query(`SELECT agg_id, note FROM ${table} ORDER BY agg_id`)).toEqual(
    ['1', '2', '3'].map((id) => ({ agg_id: id, note: null })),
  );
  await setEncodings(sql, table);
  await convert(sql, table, 'PARQUET', ['2024-01-01']);
  expect(await sql.query(`SELECT count(note) AS notes, count() AS rows FROM ${table}`)).toEqual([
    { notes: '0', rows: '3' },
  ]);
});

test.each([
  [
    'tier_minutes',
    'series_tier',
    "('2024-01-01', 'binance_spot X 0'), ('2024-01-02', 'binance_spot X 0')",
  ],
  ['cdv_exact_1h', 'symbol', "('2024-01-01', 'X'), ('2024-02-01', 'X')"],
])(
  'a migration that adds a column to %s, which series share, does so too',
  async (table, column, rows) => {
    await sql.query(`INSERT INTO ${table} (ts, ${column}) VALUES ${rows}`);
    await sql.waitApplied(table);
    await setEncodings(sql, table);
    const first = table === 'tier_minutes' ? '2024-01-01' : '2024-01';
    await convert(sql, table, 'PARQUET', [first]);
    expect(await parquetPartitions(sql, table)).toEqual([first]);
    await applyStatement(sql, `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS note VARCHAR`);
    expect(await parquetPartitions(sql, table)).toEqual([]);
    expect(await sql.query(`SELECT count(note) AS notes, count() AS rows FROM ${table}`)).toEqual([
      { notes: '0', rows: '2' },
    ]);
  },
);

test.each([
  ['tier_minutes', 'series_tier', '2024-03-01', '2024-03-02'],
  ['tiers_exact_1h', 'symbol', '2024-W10', '2024-03-20'],
  ['tiers_exact_1d', 'symbol', '2024', '2025-03-01'],
  ['cdv_exact_1m', 'symbol', '2024-03-01', '2024-03-02'],
  ['cdv_exact_15m', 'symbol', '2024-W09', '2024-03-20'],
  ['cdv_exact_1h', 'symbol', '2024-03', '2024-04-01'],
  ['cdv_exact_1d', 'symbol', '2024', '2025-03-01'],
])(
  'a partition of %s in which columns have no value at all is read and made native again',
  async (table, column, partition, later) => {
    const at = partition === '2024-W10' ? '2024-03-05' : '2024-03-01';
    await sql.query(
      `INSERT INTO ${table} (ts, ${column}) VALUES ('${at}', 'NONE'), ('${at}T12:00', 'NONE'), ('${later}', 'NONE')`,
    );
    await sql.waitApplied(table);
    const rows = `SELECT * FROM ${table} WHERE ${column} = 'NONE'`;
    const before = await sql.query(rows);
    expect(before).toHaveLength(3);
    await setEncodings(sql, table);
    await convert(sql, table, 'PARQUET', [partition]);
    expect(await parquetPartitions(sql, table)).toContain(partition);
    expect(await sql.query(rows)).toEqual(before);
    await convert(sql, table, 'NATIVE', [partition]);
    expect(await parquetPartitions(sql, table)).not.toContain(partition);
    expect(await sql.query(rows)).toEqual(before);
  },
);
