import type { Series } from '../../domain/market.ts';
import { HOUR_MS } from '../../domain/time/hour.ts';
import { INTERVALS } from '../../domain/time/interval.ts';
import { TIER_INTERVALS } from '../../domain/bars/tier.ts';
import type { Forgetting, StoredSize } from '../../ports/forgetting.ts';
import { seriesPrefix, TIER_MINUTES } from './bar-lines.ts';
import { convert, parquetPartitions } from './parquet.ts';
import { rangeOf } from './partitions.ts';
import { seriesRow, writeSeriesRow } from './series-catalogue.ts';
import { tradesTableName, tradesViewName } from './series-names.ts';
import { seriesStatements, updateSeriesSchema } from './series-schema.ts';
import type { SchemaLock } from './series-tables.ts';
import {
  inRange,
  int,
  literal,
  OF_SERIES,
  ofSeries,
  optionalInt,
  seriesParameters,
  type Sql,
} from './sql.ts';

/** The records of a series, the ledger first. */
const RECORDS = [
  'slices',
  'gaps',
  'bar_days',
  'anchors',
  'restatements',
  'archive_files',
  'prunings',
];

/** All have a status, of which `void` means that a row is no bar. */
const BARS = [
  ...INTERVALS.map((interval) => `cdv_exact_${interval}`),
  ...TIER_INTERVALS.filter((interval) => interval !== '1m').map(
    (interval) => `tiers_exact_${interval}`,
  ),
];

/**
 * QuestDB has no DELETE. An UPDATE writes the changed columns of the partitions that have rows of the series, and no
 * other column; bars that are upserted as void would write whole partitions.
 */
export function createForgetting({
  sql,
  lock,
}: {
  readonly sql: Sql;
  readonly lock: SchemaLock;
}): Forgetting {
  return {
    size: async (series) => sizeOf(sql, series),
    async begin(series) {
      const row = await seriesRow(sql, series);
      if (row?.state !== 'known') return async () => undefined;
      const { facts } = row;
      await writeSeriesRow(sql, {
        ...facts,
        originMs: undefined,
        scheduledFromMs: undefined,
        scheduledBy: undefined,
      });
      return async () => writeSeriesRow(sql, facts);
    },
    async drop(series, signal) {
      const row = await seriesRow(sql, series);
      if (row?.state !== 'forgetting') return;
      const nobody = { set: 'market = NULL, symbol = NULL', where: ofSeries(series) };
      for (const table of RECORDS) await update(sql, table, nobody, signal);
      const bars = { set: "status = 'void'", where: `${ofSeries(series)} AND status <> 'void'` };
      for (const table of BARS) await update(sql, table, bars, signal);
      const ofTiers = `starts_with(series_tier, ${literal(seriesPrefix(series))}) AND close IS NOT NULL`;
      await update(sql, TIER_MINUTES, { set: 'close = NULL', where: ofTiers }, signal);
      const { generation } = row;
      await lock(async () => {
        // The view over all series, without this one.
        await updateSeriesSchema(sql, await seriesStatements());
        await sql.query(`DROP VIEW IF EXISTS ${tradesViewName(series)}`);
        await sql.query(`DROP TABLE IF EXISTS ${tradesTableName(series, generation)}`);
      }, signal);
      const nothing = {
        originMs: undefined,
        scheduledFromMs: undefined,
        scheduledBy: undefined,
        contractSize: undefined,
      };
      const { market, symbol } = series;
      await writeSeriesRow(sql, { market, symbol, ...nothing, generation: generation + 1 }, false);
    },
  };
}

async function sizeOf(sql: Sql, series: Series): Promise<StoredSize | undefined> {
  const row = await seriesRow(sql, series);
  if (row === undefined || row.state === 'forgotten') return undefined;
  const generation = row.state === 'known' ? row.facts.generation : row.generation;
  await sql.waitApplied('slices');
  const [ledger] = await sql.query(
    "SELECT min(ts)::long AS first_us, max(ts)::long AS last_us, sum(rows) AS rows, count_distinct(timestamp_floor('d', ts)) AS days " +
      `FROM slices WHERE ${OF_SERIES}`,
    seriesParameters(series),
  );
  const [storage] = await sql.query(
    'SELECT "diskSize" AS bytes FROM table_storage() WHERE "tableName" = $1',
    [tradesTableName(series, generation)],
  );
  const [firstUs, lastUs] = [
    optionalInt(ledger ?? {}, 'first_us'),
    optionalInt(ledger ?? {}, 'last_us'),
  ];
  return {
    range:
      firstUs === undefined || lastUs === undefined
        ? undefined
        : { startMs: firstUs / 1000, endMs: lastUs / 1000 + HOUR_MS },
    days: optionalInt(ledger ?? {}, 'days') ?? 0,
    rows: optionalInt(ledger ?? {}, 'rows') ?? 0,
    bytes: storage === undefined ? 0 : int(storage, 'bytes'),
    isBegun: row.state === 'forgetting',
  };
}

/** Partitions that are stored as Parquet become native first: an UPDATE of one suspends its table (9.3.4). */
async function update(
  sql: Sql,
  table: string,
  { set, where }: { readonly set: string; readonly where: string },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  await sql.waitApplied(table);
  const isThere = async (more = '') =>
    (await sql.query(`SELECT ts FROM ${table} WHERE ${where}${more} LIMIT 1`)).length > 0;
  if (!(await isThere())) return;
  for (const name of await parquetPartitions(sql, table))
    if (await isThere(` AND ${inRange(rangeOf(name))}`))
      await convert(sql, table, 'NATIVE', [name]);
  await sql.query(`UPDATE ${table} SET ${set} WHERE ${where}`);
  await sql.waitApplied(table);
}
