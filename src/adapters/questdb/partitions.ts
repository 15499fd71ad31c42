import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, type TimeRange, WEEK_MS } from '../../domain/time/hour.ts';
import type { Partition, Partitions } from '../../ports/partitions.ts';
import { convert, setEncodings } from './parquet.ts';
import type { SchemaLock } from './series-tables.ts';
import { int, literal, optionalInt, type Sql, text, type TextRow } from './sql.ts';

interface PartitionDeps<Owner> {
  readonly sql: Sql;
  readonly lock: SchemaLock;
  /** undefined while the owner has no table. */
  readonly tableOf: (owner: Owner) => Promise<string | undefined>;
}

export function createPartitions<Owner>(deps: PartitionDeps<Owner>): Partitions<Owner> {
  const { sql, tableOf } = deps;

  async function tableFor(owner: Owner): Promise<string> {
    const table = await tableOf(owner);
    if (table === undefined) throw new CdvaultError('INTERNAL', 'there is no table to convert');
    return table;
  }

  return {
    async list(owner) {
      const table = await tableOf(owner);
      return table === undefined ? [] : listed(sql, table);
    },
    toParquet: async (owner, name, signal) =>
      change(deps, { table: await tableFor(owner), name }, 'PARQUET', signal),
    toNative: async (owner, name, signal) =>
      change(deps, { table: await tableFor(owner), name }, 'NATIVE', signal),
    async compactions(owner) {
      const table = await tableOf(owner);
      if (table === undefined) return new Map();
      await sql.waitApplied('compactions');
      const rows = await sql.query(
        'SELECT ts::long AS start_us, rows, bytes_before, bytes_after, digest, compacted_at::long AS at_us ' +
          `FROM compactions WHERE table_name = ${literal(table)}`,
      );
      return new Map(rows.map(toCompaction).map((each) => [each.startMs, each]));
    },
    async record(owner, { startMs, rows, bytesBefore, bytesAfter, compactedAtMs, digest }) {
      await sql.query(
        'INSERT INTO compactions VALUES (cast($1 AS long)::timestamp, $2, cast($3 AS long), ' +
          'cast($4 AS long), cast($5 AS long), cast($6 AS varchar), cast($7 AS long)::timestamp)',
        [
          startMs * 1000,
          await tableFor(owner),
          rows,
          bytesBefore,
          bytesAfter ?? null,
          digest ?? null,
          compactedAtMs * 1000,
        ],
      );
    },
  };
}

/**
 * Under the lock of the schema: a column that is added while a table has Parquet partitions ends the
 * server when it is read (9.3.4), and migrations convert back what they find.
 */
async function change(
  { sql, lock }: Pick<PartitionDeps<never>, 'sql' | 'lock'>,
  { table, name }: { readonly table: string; readonly name: string },
  format: 'PARQUET' | 'NATIVE',
  signal: AbortSignal,
): Promise<Partition> {
  const find = async () => (await listed(sql, table)).find((one) => one.name === name);
  return lock(async () => {
    const isDone = (partition: Partition) => partition.isParquet === (format === 'PARQUET');
    const before = await find();
    if (before !== undefined && isDone(before)) return before;
    if (format === 'PARQUET') {
      await setEncodings(sql, table);
      if (before?.isSplit === true) {
        await sql.query(`ALTER TABLE ${table} SQUASH PARTITIONS`);
        await sql.waitApplied(table);
      }
    }
    await convert(sql, table, format, [name]);
    const after = await find();
    if (after !== undefined && isDone(after)) return after;
    const what = `${table} ${name} was not converted to ${format.toLowerCase()}`;
    throw new CdvaultError('COMPACT_MISMATCH', what);
  }, signal);
}

/** Under the lock of the schema, like a conversion: both change the same folders. */
export async function dropPartition(
  { sql, lock }: Pick<PartitionDeps<never>, 'sql' | 'lock'>,
  table: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await lock(async () => {
    const find = async () => (await listed(sql, table)).find((one) => one.name === name);
    const found = await find();
    if (found === undefined) return;
    if (found.isSplit) {
      await sql.query(`ALTER TABLE ${table} SQUASH PARTITIONS`);
      await sql.waitApplied(table);
    }
    await sql.query(`ALTER TABLE ${table} DROP PARTITION LIST ${literal(name)}`);
    if ((await find()) === undefined) return;
    throw new CdvaultError('INTERNAL', `${table} still has the partition ${name} after its drop`);
  }, signal);
}

interface ListedPartition extends Partition {
  /** After rows that arrived late the server may keep a partition in several parts. */
  readonly isSplit: boolean;
}

async function listed(sql: Sql, table: string): Promise<readonly ListedPartition[]> {
  await sql.waitApplied(table);
  const rows = await sql.query(
    'SELECT name, partitionBy AS unit, numRows AS rows, diskSize AS bytes, isParquet AS is_parquet, active ' +
      `FROM table_partitions('${table}') WHERE attached ORDER BY name`,
  );
  const parts = Map.groupBy(rows, nameOf);
  return [...parts].map(([name, all]) => ({
    name,
    ...rangeOf(name),
    rows: all.reduce((sum, row) => sum + int(row, 'rows'), 0),
    bytes: all.reduce((sum, row) => sum + int(row, 'bytes'), 0),
    isParquet: all.every((row) => row['is_parquet'] === 't'),
    isNewest: all.some((row) => row['active'] === 't'),
    isSplit: all.length > 1,
  }));
}

/** How long the names of partitions are, by their unit: `2024-01-03`, `2024-W01`, `2024-01`, `2024`. */
const NAME_LENGTH: Readonly<Record<string, number>> = { DAY: 10, WEEK: 8, MONTH: 7, YEAR: 4 };

/** A part of a split partition is named after it: `2024-01-03T120000-000001`. */
function nameOf(row: TextRow): string {
  const length = NAME_LENGTH[text(row, 'unit')];
  if (length === undefined)
    throw new CdvaultError('INTERNAL', `partitions by ${text(row, 'unit')} are not known`);
  return text(row, 'name').slice(0, length);
}

export function rangeOf(name: string): TimeRange {
  const [year = 0, week = 0] = name.split('-W').map(Number);
  if (week > 0) {
    const startMs = firstMonday(year) + (week - 1) * WEEK_MS;
    return { startMs, endMs: startMs + WEEK_MS };
  }
  const startMs = Date.parse(name);
  if (name.length === NAME_LENGTH['DAY']) return { startMs, endMs: startMs + DAY_MS };
  const start = new Date(startMs);
  const months = name.length === NAME_LENGTH['MONTH'] ? 1 : 12;
  return { startMs, endMs: Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months) };
}

/** Of the year's week 1 by ISO 8601, which is the week of 4 January. */
function firstMonday(year: number): number {
  const fourth = Date.UTC(year, 0, 4);
  return fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS;
}

function toCompaction(row: TextRow) {
  return {
    startMs: int(row, 'start_us') / 1000,
    rows: int(row, 'rows'),
    bytesBefore: int(row, 'bytes_before'),
    bytesAfter: optionalInt(row, 'bytes_after'),
    digest: row['digest'] ?? undefined,
    compactedAtMs: int(row, 'at_us') / 1000,
  };
}
