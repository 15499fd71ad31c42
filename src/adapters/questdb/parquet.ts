import { literal, type Sql, text } from './sql.ts';

/** `rle_dictionary` is not among them: on a DECIMAL column it ends the server (9.3.4), at every start again. */
type Encoding = 'default' | 'delta_binary_packed';

/** Level 9 of ZSTD takes a second or two for a million rows. */
const CODEC = 'zstd(9)';

/** Times and ids rise by small steps, so their differences take a few bits. */
function encodingOf(type: string): Encoding {
  return type === 'TIMESTAMP' || type === 'LONG' ? 'delta_binary_packed' : 'default';
}

/** How the columns of a table are written when a partition is converted; they may be repeated. */
export function encodingStatements(
  table: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): string[] {
  return columns.map(
    ({ name, type }) =>
      `ALTER TABLE ${table} ALTER COLUMN ${name} SET PARQUET(${encodingOf(type)}, ${CODEC})`,
  );
}

export async function setEncodings(sql: Sql, table: string): Promise<void> {
  const [shown] = await sql.query(`SHOW CREATE TABLE ${table}`);
  const columns = await sql.query(`SELECT "column" AS name, type FROM table_columns('${table}')`);
  const set = [...(shown?.['ddl'] ?? '').matchAll(/ PARQUET\(/g)].length;
  if (set === columns.length) return;
  const named = columns.map((row) => ({ name: text(row, 'name'), type: text(row, 'type') }));
  for (const statement of encodingStatements(table, named)) await sql.query(statement);
  await sql.waitApplied(table);
}

/** Names of the partitions that are stored as Parquet. */
export async function parquetPartitions(sql: Sql, table: string): Promise<readonly string[]> {
  const rows = await sql.query(
    `SELECT name FROM table_partitions('${table}') WHERE isParquet ORDER BY name`,
  );
  return rows.map((row) => text(row, 'name'));
}

/**
 * The server converts when it applies the statement. Each is waited for: a wait for the conversions of
 * years of days would exceed the deadline of a query.
 */
export async function convert(
  sql: Sql,
  table: string,
  format: 'PARQUET' | 'NATIVE',
  partitions: readonly string[],
): Promise<void> {
  for (const name of partitions) {
    await sql.query(`ALTER TABLE ${table} CONVERT PARTITION TO ${format} LIST ${literal(name)}`);
    await sql.waitApplied(table);
  }
}
