import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Umzug, type UmzugStorage } from 'umzug';
import type { Log } from '../../ports/log.ts';
import { convert, parquetPartitions } from './parquet.ts';
import { literal, type Sql } from './sql.ts';

export const MIGRATIONS_TABLE = 'schema_migrations';

const directory = join(import.meta.dirname, '../../../migrations');

/** A template of a statement that is applied to each series, or to each series of some markets. */
export interface SeriesStatement {
  readonly text: string;
  /** undefined: all markets. */
  readonly markets: readonly string[] | undefined;
}

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
  readonly ofSeries: readonly SeriesStatement[];
}

/**
 * A statement ends with a semicolon at the end of a line; comments are whole lines. A statement after a
 * comment `-- each: 1m by DAY, 1h by MONTH` stands for two, with {interval}, {unit}, {count} and {partition}
 * filled in; [x] in it is x as DOUBLE. One after `-- each series` or `-- each series of MARKET` is for the
 * tables of series: see series-tables.ts.
 */
export function statementsOf(file: string): Omit<Migration, 'name'> {
  const statements: string[] = [];
  const ofSeries: SeriesStatement[] = [];
  for (const part of file.split(/;\s*$/m)) {
    const statement = part.replace(/^\s*--.*$/gm, '').trim();
    if (statement === '') continue;
    const [isOfSeries, markets] = /^-- each series(?: of (.+))?$/m.exec(part) ?? [];
    const each = /^-- each: (.+)$/m.exec(part)?.[1];
    if (isOfSeries !== undefined) ofSeries.push({ text: statement, markets: markets?.split(' ') });
    else if (each === undefined) statements.push(statement);
    else statements.push(...forIntervals(asDoubles(statement), each));
  }
  return { statements, ofSeries };
}

/** 90 million units are 9.0e15 units of 1e-8, below 2^53: such values are converted exactly. */
function asDoubles(statement: string): string {
  return statement.replaceAll(
    /\[([^\]]+)\]/g,
    'CASE WHEN ($1) < 90000000m AND ($1) > -90000000m THEN (($1) * 100000000m)::long / 100000000.0 ELSE ($1)::double END',
  );
}

/** @param each such as `1m 5m by DAY, 1h by MONTH`; without `by` where the statement has no partition */
function forIntervals(statement: string, each: string): string[] {
  return each.split(', ').flatMap((group) => {
    const [intervals = '', partition = ''] = group.split(' by ');
    return intervals
      .split(' ')
      .map((interval) =>
        statement
          .replaceAll('{interval}', interval)
          .replaceAll('{count}', interval.slice(0, -1))
          .replaceAll('{unit}', interval.slice(-1))
          .replaceAll('{partition}', partition),
      );
  });
}

export async function migrationFiles(folder = directory): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      name,
      ...statementsOf(await readFile(join(folder, name), 'utf8')),
    })),
  );
}

/** Whether all migrations have been applied: the usual case, in which the lock is not needed. */
export async function isMigrated(sql: Sql): Promise<boolean> {
  const tables = await sql.query(
    `SELECT table_name AS name FROM tables() WHERE table_name = '${MIGRATIONS_TABLE}'`,
  );
  if (tables.length === 0) return false;
  const executed = new Set(await storageOf(sql).executed());
  return (await migrationFiles()).every(({ name }) => executed.has(name));
}

/**
 * Applies the migrations that are not recorded yet. Every statement may be repeated, since QuestDB has no
 * transactional DDL. The caller must hold the lock, so that only one host migrates.
 * @returns names of the migrations applied now
 */
export async function migrate(
  sql: Sql,
  log: Log,
  { files = migrationFiles() }: { readonly files?: Promise<readonly Migration[]> } = {},
): Promise<string[]> {
  await sql.query(
    `CREATE TABLE IF NOT EXISTS ${MIGRATIONS_TABLE} (ts TIMESTAMP, name SYMBOL, applied BOOLEAN) ` +
      'TIMESTAMP(ts) PARTITION BY YEAR WAL DEDUP UPSERT KEYS(ts, name)',
  );
  const umzug = new Umzug({
    migrations: (await files).map(({ name, statements }) => ({
      name,
      up: async () => {
        for (const statement of statements) await applyStatement(sql, statement);
      },
    })),
    storage: storageOf(sql),
    logger: undefined,
  });
  const applied = await umzug.up();
  for (const { name } of applied) log.info({ migration: name }, 'migration applied');
  return applied.map(({ name }) => name);
}

export interface AddedColumn {
  readonly table: string;
  readonly name: string;
  readonly type: string;
}

export function addedColumn(statement: string): AddedColumn | undefined {
  const [, table, name, type] =
    /^ALTER TABLE (\w+) ADD COLUMN IF NOT EXISTS (\w+) (\S+)$/.exec(statement) ?? [];
  if (table === undefined || name === undefined || type === undefined) return undefined;
  return { table, name, type };
}

/**
 * May be repeated. QuestDB refuses to add an existing column to a WAL table, even with IF NOT EXISTS. Partitions
 * that are stored as Parquet become native first: reading a column that was added while there were some
 * ends the server (9.3.4).
 */
export async function applyStatement(sql: Sql, statement: string): Promise<void> {
  const column = addedColumn(statement);
  if (column !== undefined && (await hasColumn(sql, column))) return;
  if (column !== undefined) await makeNative(sql, column.table);
  await sql.query(statement);
  // A view that is created next sees the new column only after it is applied to the table.
  if (column !== undefined) await sql.waitApplied(column.table);
}

async function makeNative(sql: Sql, table: string): Promise<void> {
  await sql.waitApplied(table);
  const partitions = await parquetPartitions(sql, table);
  if (partitions.length > 0) await convert(sql, table, 'NATIVE', partitions);
}

async function hasColumn(sql: Sql, { table, name }: AddedColumn): Promise<boolean> {
  const columns = await sql.query(`SELECT "column" AS name FROM table_columns('${table}')`);
  return columns.some((row) => row['name'] === name);
}

/** Names of the migrations that the schema has had, in order. */
export async function appliedMigrations(sql: Sql): Promise<readonly string[]> {
  return storageOf(sql).executed();
}

function storageOf(sql: Sql): UmzugStorage & { executed(): Promise<string[]> } {
  async function record(name: string, applied: boolean): Promise<void> {
    await sql.query(
      `INSERT INTO ${MIGRATIONS_TABLE} VALUES (0::timestamp, ${literal(name)}, ${applied})`,
    );
    await sql.waitApplied(MIGRATIONS_TABLE);
  }
  return {
    logMigration: ({ name }) => record(name, true),
    unlogMigration: ({ name }) => record(name, false),
    async executed() {
      await sql.waitApplied(MIGRATIONS_TABLE);
      const rows = await sql.query(
        `SELECT name FROM ${MIGRATIONS_TABLE} WHERE applied ORDER BY name`,
      );
      return rows.map((row) => row['name'] ?? '');
    },
  };
}
