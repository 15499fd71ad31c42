import { CdvaultError } from '../../domain/errors.ts';
import { seriesKey } from '../../domain/market.ts';
import type { TablesFacts, WrongTable } from '../../ports/doctor.ts';
import { migrationFiles, MIGRATIONS_TABLE } from './migrate.ts';
import { columnsFor, seriesStatements, statementsFor, toNames } from './series-schema.ts';
import { checkTable, type Column, tablesOf } from './server-check.ts';
import { int, NOT_FORGOTTEN, OF_ANY_SERIES, type Sql, text, toSeries } from './sql.ts';

export async function existingTables(sql: Sql): Promise<ReadonlySet<string>> {
  return new Set((await liveTables(sql)).keys());
}

interface Live {
  readonly isWal: boolean;
  readonly isDedup: boolean;
}

async function liveTables(sql: Sql): Promise<ReadonlyMap<string, Live>> {
  const rows = await sql.query(
    'SELECT table_name AS name, "walEnabled" AS wal, dedup FROM tables()',
  );
  return new Map(
    rows.map((row) => [
      text(row, 'name'),
      { isWal: row['wal'] === 't', isDedup: row['dedup'] === 't' },
    ]),
  );
}

/** Names of the tables that belong to cdvault, whether they exist or not. */
export async function ourTables(sql: Sql): Promise<ReadonlySet<string>> {
  const live = await liveTables(sql);
  const { shared, ofSeries } = await wantedTables(sql, live);
  return new Set([MIGRATIONS_TABLE, ...shared.keys(), ...ofSeries.keys()]);
}

/** Compares every table with the migrations, and those of series with what `series` has recorded. */
export async function tablesFacts(sql: Sql): Promise<TablesFacts> {
  const live = await liveTables(sql);
  const { shared, ofSeries } = await wantedTables(sql, live);
  const filled = await filledTables(sql, live);
  // Before the first migration there is nothing to miss, and a series gets its table with its first trade.
  const isDue = (table: string) =>
    shared.has(table) ? live.has(MIGRATIONS_TABLE) : filled.has(table);
  const all = [...shared, ...ofSeries];
  const compared = all.filter(([table]) => live.has(table));
  const missing = all.filter(([table]) => !live.has(table) && isDue(table));
  const wrong = await Promise.all(
    compared.map(async ([table, columns]) => differenceOf(sql, table, columns, live.get(table))),
  );
  return {
    compared: compared.length,
    wrong: [
      ...missing.map(([table, columns]) => wrongTable('missing', table, columns, 'is missing')),
      ...wrong.filter((one) => one !== undefined),
    ],
  };
}

async function wantedTables(sql: Sql, live: ReadonlyMap<string, Live>) {
  const files = await migrationFiles();
  const shared = tablesOf(files.flatMap(({ statements }) => statements));
  const ofSeries = new Map<string, readonly Column[]>();
  if (!live.has('series')) return { shared, ofSeries };
  const templates = await seriesStatements(Promise.resolve(files));
  for (const row of await sql.query(
    `SELECT market, symbol, trades_table, trades_view FROM series WHERE ${NOT_FORGOTTEN}`,
  )) {
    const names = toNames(row);
    ofSeries.set(names.table, columnsFor(statementsFor(templates, names, 'DAY'), names.table));
  }
  return { shared, ofSeries };
}

/** Tables of the series that have trades by the ledger. */
async function filledTables(
  sql: Sql,
  live: ReadonlyMap<string, Live>,
): Promise<ReadonlySet<string>> {
  if (!live.has('series') || !live.has('slices')) return new Set();
  const [rows, series] = await Promise.all([
    sql.query(
      `SELECT market, symbol, sum(rows) AS trades FROM slices WHERE ${OF_ANY_SERIES} GROUP BY market, symbol`,
    ),
    sql.query(
      `SELECT market, symbol, trades_table, trades_view FROM series WHERE ${NOT_FORGOTTEN}`,
    ),
  ]);
  const filled = new Set(
    rows.filter((row) => int(row, 'trades') > 0).map((row) => seriesKey(toSeries(row))),
  );
  const names = series.map(toNames).filter((one) => filled.has(seriesKey(one)));
  return new Set(names.map(({ table }) => table));
}

async function differenceOf(
  sql: Sql,
  table: string,
  columns: readonly Column[],
  live: Live | undefined,
): Promise<WrongTable | undefined> {
  if (live?.isWal === false) return wrongTable('no_wal', table, columns, 'has no WAL');
  if (live?.isDedup === false)
    return wrongTable('no_dedup', table, columns, 'has no dedup keys, rows may repeat');
  try {
    await checkTable(sql, table, columns);
    return undefined;
  } catch (error) {
    if (!(error instanceof CdvaultError) || error.code !== 'SCHEMA_MISMATCH') throw error;
    const what = error.message.slice(error.message.indexOf(': ') + 2);
    return wrongTable('columns', table, columns, what);
  }
}

function wrongTable(
  kind: WrongTable['kind'],
  table: string,
  columns: readonly Column[],
  what: string,
): WrongTable {
  const keys = columns.filter(({ isKey }) => isKey).map(({ name }) => name);
  return { table, kind, what, keys };
}
