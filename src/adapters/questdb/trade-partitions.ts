import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { TradePartition, TradePartitions } from '../../ports/trade-partitions.ts';
import { convert, setEncodings } from './parquet.ts';
import type { SchemaLock, SeriesTables } from './series-tables.ts';
import { int, ofSeries, optionalInt, type Sql, text, type TextRow } from './sql.ts';

export function createTradePartitions(deps: {
  readonly sql: Sql;
  readonly tables: Pick<SeriesTables, 'find'>;
  readonly lock: SchemaLock;
}): TradePartitions {
  const { sql } = deps;
  return {
    async list(series) {
      const table = await deps.tables.find(series);
      return table === undefined ? [] : listed(sql, table);
    },
    toParquet: (series, name, signal) => change(deps, { series, name }, 'PARQUET', signal),
    toNative: (series, name, signal) => change(deps, { series, name }, 'NATIVE', signal),
    async compactions(series) {
      await sql.waitApplied('compactions');
      const rows = await sql.query(
        'SELECT ts::long AS start_us, rows, bytes_before, bytes_after, compacted_at::long AS at_us ' +
          `FROM compactions WHERE ${ofSeries(series)}`,
      );
      return new Map(rows.map(toCompaction).map((each) => [each.startMs, each]));
    },
    async record({ market, symbol }, { startMs, rows, bytesBefore, bytesAfter, compactedAtMs }) {
      await sql.query(
        'INSERT INTO compactions VALUES (cast($1 AS long)::timestamp, $2, $3, cast($4 AS long), ' +
          'cast($5 AS long), cast($6 AS long), cast($7 AS long)::timestamp)',
        [
          startMs * 1000,
          market,
          symbol,
          rows,
          bytesBefore,
          bytesAfter ?? null,
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
  { sql, tables, lock }: Parameters<typeof createTradePartitions>[0],
  { series, name }: { readonly series: Series; readonly name: string },
  format: 'PARQUET' | 'NATIVE',
  signal: AbortSignal,
): Promise<TradePartition> {
  const table = await tables.find(series);
  if (table === undefined)
    throw new CdvaultError('INTERNAL', `${series.symbol} has no table of trades`);
  const find = async () => (await listed(sql, table)).find((one) => one.name === name);
  return lock(async () => {
    const isDone = (partition: TradePartition) => partition.isParquet === (format === 'PARQUET');
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
    const what = `${series.symbol} ${name} was not converted to ${format.toLowerCase()}`;
    throw new CdvaultError('COMPACT_MISMATCH', what);
  }, signal);
}

interface ListedPartition extends TradePartition {
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

/** A part of a split partition is named after it: `2024-01-03T120000-000001`. */
function nameOf(row: TextRow): string {
  const length = text(row, 'unit') === 'MONTH' ? '2024-01'.length : '2024-01-03'.length;
  return text(row, 'name').slice(0, length);
}

function rangeOf(name: string): TimeRange {
  const startMs = Date.parse(name);
  if (name.length > '2024-01'.length) return { startMs, endMs: startMs + DAY_MS };
  const start = new Date(startMs);
  return { startMs, endMs: Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1) };
}

function toCompaction(row: TextRow) {
  return {
    startMs: int(row, 'start_us') / 1000,
    rows: int(row, 'rows'),
    bytesBefore: int(row, 'bytes_before'),
    bytesAfter: optionalInt(row, 'bytes_after'),
    compactedAtMs: int(row, 'at_us') / 1000,
  };
}
