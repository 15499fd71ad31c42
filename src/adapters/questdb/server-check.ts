import { CdvaultError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import {
  addedColumn,
  appliedMigrations,
  type Migration,
  MIGRATIONS_TABLE,
  migrationFiles,
} from './migrate.ts';
import type { Sql } from './sql.ts';

/** The version that this release is tested with; older ones do not have what the bars need. */
export const TESTED_VERSION = '9.3.4';

/** @throws CdvaultError STORE_TOO_OLD */
export async function checkVersion(sql: Sql, log: Log): Promise<string> {
  const version = await readVersion(sql);
  if (version === undefined || isTooOld(version)) {
    throw new CdvaultError(
      'STORE_TOO_OLD',
      `QuestDB ${version ?? '(unknown version)'} is older than ${TESTED_VERSION}`,
    );
  }
  if (version !== TESTED_VERSION)
    log.warn(
      { version, testedVersion: TESTED_VERSION },
      'QuestDB version not tested with this release',
    );
  return version;
}

/** @returns undefined when the server does not name its version as 1.2.3 */
export async function readVersion(sql: Sql): Promise<string | undefined> {
  const [row] = await sql.query('SELECT build() AS build');
  return /QuestDB (\d+\.\d+\.\d+)/.exec(row?.['build'] ?? '')?.[1];
}

export function isTooOld(version: string): boolean {
  return compare(version, TESTED_VERSION) < 0;
}

function compare(left: string, right: string): number {
  const parts = left.split('.').map(Number);
  for (const [index, part] of right.split('.').map(Number).entries()) {
    const difference = (parts[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly isKey: boolean;
  /** Added by a later migration: an older table of ours does not have it yet. */
  readonly isAdded: boolean;
}

/** The tables as the migrations create and extend them, parsed from the migrations' SQL. */
export function tablesOf(statements: readonly string[]): Map<string, Column[]> {
  const tables = new Map<string, Column[]>();
  for (const statement of statements) {
    const match =
      /^CREATE TABLE IF NOT EXISTS (\w+) \(\n([\s\S]*?)\n\) .*DEDUP UPSERT KEYS\(([^)]*)\)$/.exec(
        statement,
      );
    if (match === null) continue;
    const [, table = '', body = '', keyList = ''] = match;
    const keys = new Set(keyList.split(', '));
    tables.set(
      table,
      body.split(',\n').map((line) => {
        const [name = '', type = ''] = line.trim().split(' ');
        return { name, type, isKey: keys.has(name), isAdded: false };
      }),
    );
  }
  for (const statement of statements) {
    const added = addedColumn(statement);
    if (added === undefined) continue;
    const { table, name, type } = added;
    tables.get(table)?.push({ name, type, isKey: false, isAdded: true });
  }
  return tables;
}

/** In a former layout, the table of the trades of all series. */
const FORMER_TRADES = 'agg_trades';

/**
 * Compares the existing tables with the migrations. Run it before migrating, so that nothing is changed in a
 * database of another program or release.
 * @throws CdvaultError SCHEMA_MISMATCH when a live table has other columns or dedup keys than ours,
 *   SCHEMA_OF_OTHER_RELEASE when the store has the layout of another release
 */
export async function checkSchema(
  sql: Sql,
  given: Promise<readonly Migration[]> = migrationFiles(),
): Promise<void> {
  const files = await given;
  const existing = new Set(
    (await sql.query('SELECT table_name AS name FROM tables()')).map((row) => row['name']),
  );
  if (existing.has(MIGRATIONS_TABLE))
    await assertSameLayout(sql, new Set(files.map(({ name }) => name)));
  if (existing.has(FORMER_TRADES)) throw ofOtherRelease(`it has a table ${FORMER_TRADES}`);
  for (const [table, columns] of tablesOf(files.flatMap(({ statements }) => statements)))
    if (existing.has(table)) await checkTable(sql, table, columns);
}

async function assertSameLayout(sql: Sql, known: ReadonlySet<string>): Promise<void> {
  const unknown = (await appliedMigrations(sql)).filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw ofOtherRelease(
      `it has had migrations that this one does not know: ${unknown.join(', ')}`,
    );
}

function ofOtherRelease(why: string): CdvaultError {
  return new CdvaultError(
    'SCHEMA_OF_OTHER_RELEASE',
    `this store was made by another release of cdvault (${why})`,
  );
}

/** @throws CdvaultError SCHEMA_MISMATCH when a table has other columns or dedup keys than ours */
export async function checkTable(
  sql: Sql,
  table: string,
  columns: readonly Column[],
): Promise<void> {
  const live = await sql.query(
    `SELECT "column" AS name, type, "upsertKey" AS key FROM table_columns('${table}')`,
  );
  const expected = columns.map(describe);
  const names = new Set(live.map((row) => row['name']));
  const isToCome = ({ name, isAdded }: Column) => isAdded && !names.has(name);
  const needed = columns.filter((column) => !isToCome(column)).map(describe);
  const found = live.map((row) =>
    describe({ name: row['name'] ?? '', type: row['type'] ?? '', isKey: row['key'] === 't' }),
  );
  const wrong = [
    ...needed.filter((column) => !found.includes(column)).map((column) => `missing ${column}`),
    ...found.filter((column) => !expected.includes(column)).map((column) => `unexpected ${column}`),
  ];
  if (wrong.length > 0) {
    throw new CdvaultError(
      'SCHEMA_MISMATCH',
      `table ${table} is not cdvault's: ${wrong.join(', ')}`,
    );
  }
}

function describe({ name, type, isKey }: Omit<Column, 'isAdded'>): string {
  return `${name} ${type}${isKey ? ' (dedup key)' : ''}`;
}
