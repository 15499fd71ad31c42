import { TIER_INTERVALS } from '../../domain/bars/tier.ts';
import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { INTERVALS } from '../../domain/time/interval.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DayMark, KnownDays, StorePartitions } from '../../ports/partitions.ts';
import { TIER_MINUTES } from './bar-lines.ts';
import { UNFINISHED } from './bar-store.ts';
import { ExpConnection } from './exp-connection.ts';
import { createPartitions, dropPartition } from './partitions.ts';
import { RowDigests } from './row-digests.ts';
import type { SchemaLock, SeriesTables } from './series-tables.ts';
import { addMonth, type FoundDays, MONTHS_OF_DAYS, rangesOf } from './settled-days.ts';
import { inRange, int, OF_ANY_SERIES, optionalInt, type Sql, type TextRow } from './sql.ts';

/** Largest last: the first conversions show soon whether all is well. */
const TABLES: readonly string[] = [
  ...TIER_INTERVALS.toReversed().map((interval) =>
    interval === '1m' ? TIER_MINUTES : `tiers_exact_${interval}`,
  ),
  ...INTERVALS.toReversed().map((interval) => `cdv_exact_${interval}`),
];

/** @param url of HTTP, with user and password */
export function createStorePartitions(
  url: string,
  {
    sql,
    tables,
    lock,
    clock,
  }: {
    readonly sql: Sql;
    readonly tables: Pick<SeriesTables, 'find'>;
    readonly lock: SchemaLock;
    readonly clock: Clock;
  },
): StorePartitions & { close(): Promise<void> } {
  const connection = new ExpConnection(url, clock);
  return {
    trades: {
      ...createPartitions({ sql, lock, tableOf: async (series: Series) => tables.find(series) }),
      async drop(series, name, signal) {
        const table = await tables.find(series);
        if (table !== undefined) await dropPartition({ sql, lock }, table, name, signal);
      },
    },
    bars: {
      ...createPartitions({ sql, lock, tableOf: async (table: string) => table }),
      tables: TABLES,
      marks: async (range) => marks(sql, range),
      knownDays: async (range) => knownDays(sql, range),
      async digests(table, range, signal) {
        await sql.waitApplied(table);
        const rows = new RowDigests();
        const query = `SELECT * FROM ${table} WHERE ${inRange(range)}`;
        for await (const piece of connection.read(query, {}, signal)) rows.push(piece);
        return rows.end();
      },
    },
    close: async () => connection.close(),
  };
}

async function marks(sql: Sql, range: TimeRange): Promise<ReadonlyMap<number, DayMark>> {
  for (const table of ['slices', 'bar_days', 'gaps']) await sql.waitApplied(table);
  // Milliseconds: the sum of a day's hours of all series in microseconds would not fit.
  const facts = (table: string, at: string, unfinished: string) =>
    `SELECT timestamp_floor('d', ts)::long AS day_us, count() AS rows, sum(${at}::long / 1000) AS at_sum, ` +
    `max(${at})::long AS at_us, ${unfinished} AS unfinished FROM ${table} WHERE ${inRange(range)} AND ${OF_ANY_SERIES} GROUP BY day_us`;
  const [fetched, built, awaited] = await Promise.all([
    sql.query(facts('slices', 'fetched_at', '0L')),
    sql.query(
      facts('bar_days', 'built_at', `sum(CASE WHEN layout = '${UNFINISHED}' THEN 1 ELSE 0 END)`),
    ),
    sql.query(
      `SELECT DISTINCT timestamp_floor('d', ts)::long AS day_us FROM gaps WHERE ${inRange(range)} AND ${OF_ANY_SERIES} ` +
        "AND class = 'pending_archive' AND to_id = 0 AND resolved_at IS NULL",
    ),
  ]);
  const [fetchedOn, builtOn, awaitedOn] = [fetched, built, awaited].map(byDay);
  const days = new Set(
    [fetchedOn, builtOn, awaitedOn].flatMap((rows) => [...(rows?.keys() ?? [])]),
  );
  return new Map(
    [...days].map((dayMs) => {
      const of = [fetchedOn?.get(dayMs), builtOn?.get(dayMs)];
      const [fetchedAtMs = 0, builtAtMs = 0] = of.map(latestMs);
      const mark = JSON.stringify(of);
      const isUnfinished = of.some((row) => row !== undefined && int(row, 'unfinished') > 0);
      const isAwaited = awaitedOn?.has(dayMs) === true;
      return [dayMs, { mark, fetchedAtMs, builtAtMs, isAwaited, isUnfinished }];
    }),
  );
}

function byDay(rows: readonly TextRow[]): ReadonlyMap<number, TextRow> {
  return new Map(rows.map((row) => [int(row, 'day_us') / 1000, row]));
}

function latestMs(row: TextRow | undefined): number {
  return row === undefined ? 0 : (optionalInt(row, 'at_us') ?? 0) / 1000;
}

async function knownDays(sql: Sql, range: TimeRange): Promise<KnownDays[]> {
  for (const table of ['slices', 'bar_days']) await sql.waitApplied(table);
  const found = new Map<string, FoundDays>();
  for (const table of ['slices', 'bar_days']) {
    const days =
      `SELECT market, symbol, timestamp_floor('d', ts) AS day FROM ${table} WHERE ${inRange(range)} AND ${OF_ANY_SERIES} ` +
      'GROUP BY market, symbol, day';
    for (const row of await sql.query(
      `${MONTHS_OF_DAYS} FROM (${days}) GROUP BY market, symbol, month_us`,
    ))
      addMonth(found, row);
  }
  return [...found.values()].map(({ series, days }) => ({ ...series, ranges: rangesOf(days) }));
}
