import { expect, test } from 'vitest';
import { convert, encodingStatements } from '../../../src/adapters/questdb/parquet.ts';
import { migrationFiles } from '../../../src/adapters/questdb/migrate.ts';
import { seriesStatements, statementsFor } from '../../../src/adapters/questdb/series-schema.ts';
import { tablesOf } from '../../../src/adapters/questdb/server-check.ts';

const names = { market: 'binance_spot', symbol: 'X', table: 'agg_trades_x', view: 'v' } as const;
const trades = statementsFor(await seriesStatements(), names, 'DAY');

test('times and ids of trades are written as differences, everything with ZSTD', () => {
  const columns = tablesOf(trades).get('agg_trades_x') ?? [];
  const set = (column: string, encoding: string) =>
    `ALTER TABLE agg_trades_x ALTER COLUMN ${column} SET PARQUET(${encoding}, zstd(9))`;
  expect(encodingStatements('agg_trades_x', columns)).toEqual([
    set('ts', 'delta_binary_packed'),
    set('agg_id', 'delta_binary_packed'),
    set('price', 'default'),
    set('qty', 'default'),
    set('first_id', 'delta_binary_packed'),
    set('last_id', 'delta_binary_packed'),
    set('is_buyer_maker', 'default'),
  ]);
});

test('no column of any table gets an encoding that ends the server, and DECIMAL keeps the default', async () => {
  const statements = (await migrationFiles()).flatMap((file) => file.statements);
  const tables = tablesOf([...statements, ...trades]);
  expect(tables.size).toBeGreaterThan(10);
  for (const [table, columns] of tables) {
    const texts = encodingStatements(table, columns);
    for (const [index, text] of texts.entries()) {
      expect(text).not.toMatch(/dictionary/i);
      if (columns[index]?.type.startsWith('DECIMAL')) expect(text).toContain('(default, ');
    }
  }
});

test('each conversion is waited for, so that no wait is longer than that of one partition', async () => {
  const done: string[] = [];
  const sql = {
    query: async (text: string) => {
      done.push(text);
      return [];
    },
    eachRow: async () => undefined,
    waitApplied: async (table: string) => void done.push(`wait ${table}`),
    close: async () => undefined,
  };
  await convert(sql, 't', 'NATIVE', ['2024-01-01', '2024-01-02']);
  expect(done).toEqual([
    "ALTER TABLE t CONVERT PARTITION TO NATIVE LIST '2024-01-01'",
    'wait t',
    "ALTER TABLE t CONVERT PARTITION TO NATIVE LIST '2024-01-02'",
    'wait t',
  ]);
});
