import { literal, type Sql, text } from './sql.ts';

/** `rle_dictionary` is not among them: on a DECIMAL column it ends the server (9.3.4), at every start again. */
type Encoding = 'default' | 'delta_binary_packed';

/** Level 9 of ZSTD takes a second or two for a million rows. */
const CODEC = 'zstd(9)';

interface Column {
  readonly name: string;
}

/**
 * Times and ids rise by small steps, so their differences take a few bits. Only for columns that always have a
 * value: of a partition without any, 9.3.4 writes differences that it can't read, and the partition is lost. Bars
 * have such partitions: `level_missing` where it is unknown, `first_id` of silent days.
 */
function encodingOf({ name }: Column, columns: readonly Column[]): Encoding {
  const isOfTrades = columns.some((column) => column.name === 'agg_id');
  const always = isOfTrades ? ['ts', 'agg_id', 'first_id', 'last_id'] : ['ts'];
  return always.includes(name) ? 'delta_binary_packed' : 'default';
}

/** How the columns of a table are written when a partition is converted; they may be repeated. */
export function encodingStatements(table: string, columns: readonly Column[]): string[] {
  return columns.map(
    (column) =>
      `ALTER TABLE ${table} ALTER COLUMN ${column.name} SET PARQUET(${encodingOf(column, columns)}, ${CODEC})`,
  );
}

export async function setEncodings(sql: Sql, table: string): Promise<void> {
  const { statements, areSet } = await encodings(sql, table);
  if (areSet) return;
  for (const statement of statements) await sql.query(statement);
  await sql.waitApplied(table);
}

/** The statements that set the encodings of a table, and whether they have been applied. */
async function encodings(
  sql: Sql,
  table: string,
): Promise<{ readonly statements: readonly string[]; readonly areSet: boolean }> {
  const [shown] = await sql.query(`SHOW CREATE TABLE ${table}`);
  const columns = await sql.query(`SELECT "column" AS name FROM table_columns('${table}')`);
  const statements = encodingStatements(
    table,
    columns.map((row) => ({ name: text(row, 'name') })),
  );
  const set = [...(shown?.['ddl'] ?? '').matchAll(/ PARQUET\(\w+/g)].map(([found]) => found);
  const wanted = statements.map((statement) => / PARQUET\(\w+/.exec(statement)?.[0]);
  return { statements, areSet: set.join() === wanted.join() };
}

/** Of the tables that compact has converted: how many have Parquet partitions, and which have other encodings. */
export async function parquetFacts(
  sql: Sql,
): Promise<{ readonly tables: number; readonly otherEncodings: readonly string[] }> {
  const rows = await sql.query(
    'SELECT DISTINCT table_name AS name FROM compactions WHERE table_name IN (SELECT table_name FROM tables())',
  );
  const found = await Promise.all(
    rows.map(async (row) => {
      const table = text(row, 'name');
      if ((await parquetPartitions(sql, table)).length === 0) return [];
      return [{ table, ...(await encodings(sql, table)) }];
    }),
  );
  const tables = found.flat();
  const others = tables.filter(({ areSet }) => !areSet);
  return { tables: tables.length, otherEncodings: others.map(({ table }) => table) };
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
