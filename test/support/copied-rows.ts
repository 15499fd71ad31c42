import type { Sql } from '../../src/adapters/questdb/sql.ts';

/** Writes rows again, with other values in some columns: SQL by the name of the column. */
export async function copyRows(
  sql: Sql,
  table: string,
  where: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const columns = await sql.query(`SELECT "column" AS name FROM table_columns('${table}')`);
  const cells = columns.map(({ name }) => values[name ?? ''] ?? name);
  await sql.query(`INSERT INTO ${table} SELECT ${cells.join(', ')} FROM ${table} WHERE ${where}`);
  await sql.waitApplied(table);
}
