import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import type { SettledDays } from '../../ports/bar-store.ts';
import { PROVEN_BY_IDS } from './proven-hours.ts';
import {
  IN_RANGE,
  inRange,
  int,
  literal,
  OF_ANY_SERIES,
  OF_SERIES,
  seriesParameters,
  type Sql,
  type TextRow,
  toSeries,
} from './sql.ts';

/** 200 series of a year take the server 0.6 CPU seconds; its limit for a statement is a minute. */
const CHUNK_MS = 366 * DAY_MS;

/** `inputs` of a day whose 24 hours are proven: words of 26 characters, `10=proven:` and 16 of the hash. */
const WORD = 27;
const HASH_AT = 11;
const HASH = 16;
const WHOLE_DAY = 24 * WORD - 1;

/**
 * Days of which the ledger proves every hour and whose stamp names exactly these contents, in this layout.
 * The server compares, since the rows of a year would take the client a second. A day that it does not name
 * may still be complete: whoever asks judges that day by its rows.
 * @param range whole days
 * @param series default: all
 */
export async function settledDays(
  sql: Sql,
  layout: string,
  range: TimeRange,
  series?: Series,
): Promise<SettledDays[]> {
  await sql.waitApplied('slices');
  await sql.waitApplied('bar_days');
  const found = new Map<string, FoundDays>();
  for (let startMs = range.startMs; startMs < range.endMs; startMs += CHUNK_MS) {
    const chunk = { startMs, endMs: Math.min(range.endMs, startMs + CHUNK_MS) };
    const next = { startMs: chunk.startMs + DAY_MS, endMs: chunk.endMs + DAY_MS };
    const months = await sql.query(monthsSql(layout, chunk, series), parameters(chunk, series));
    for (const row of months) addMonth(found, row);
    // Read last: a row that is written in between must not be missed.
    const reaching = await sql.query(reachSql(next, series), parameters(next, series));
    for (const row of reaching)
      found.get(seriesKey(toSeries(row)))?.days.delete(int(row, 'hour_us') / 1000 - DAY_MS);
  }
  return [...found.values()].map(({ series: one, days }) => ({ ...one, ranges: rangesOf(days) }));
}

/** Days of a series, by their start. */
export interface FoundDays {
  readonly series: Series;
  readonly days: Set<number>;
}

/** A row for each month of a series, its days as bits. */
export const MONTHS_OF_DAYS =
  "SELECT market, symbol, timestamp_floor('M', day)::long AS month_us, sum(cast(power(2, day(day) - 1) AS long)) AS days";

/**
 * A row for each month, its days as bits. No word but those of proven hours is in `inputs`, and 24 of them
 * without a suffix fill its length; where each hour's hash stands in its place, the stamp is the ledger's.
 * A row that reaches back has a suffix in its word, or has been written since.
 */
function monthsSql(layout: string, range: TimeRange, series: Series | undefined): string {
  const hours =
    `SELECT market, symbol, timestamp_floor('d', ts) AS day, hour(ts) AS hour, left(content_hash, ${HASH}) AS hash ` +
    `FROM slices WHERE ${within(range, series)} AND ${PROVEN_BY_IDS} AND (back_rows = 0 OR back_rows IS NULL)`;
  const stamps =
    `SELECT ts, market, symbol, inputs FROM bar_days WHERE ${within(range, series)} AND layout = ${literal(layout)} ` +
    `AND length(inputs) = ${WHOLE_DAY} AND NOT inputs LIKE '%=gap:%' AND NOT inputs LIKE '%=open:%'`;
  const days =
    `SELECT h.market AS market, h.symbol AS symbol, h.day AS day FROM (${hours}) h JOIN (${stamps}) b ` +
    'ON h.market = b.market AND h.symbol = b.symbol AND h.day = b.ts ' +
    `WHERE substring(b.inputs, ${WORD} * h.hour + ${HASH_AT}, ${HASH}) = h.hash`;
  return (
    `${MONTHS_OF_DAYS} FROM (SELECT market, symbol, day, count() AS hours FROM (${days}) GROUP BY market, symbol, day) ` +
    'WHERE hours = 24 GROUP BY market, symbol, month_us'
  );
}

/** First hours of a day with rows that lie in the day before: that day's `inputs` need one word more. */
function reachSql(range: TimeRange, series: Series | undefined): string {
  return (
    'SELECT market, symbol, ts::long AS hour_us FROM ' +
    `(SELECT market, symbol, ts FROM slices WHERE ${within(range, series)} AND back_rows > 0) WHERE hour(ts) = 0`
  );
}

function within(range: TimeRange, series: Series | undefined): string {
  return series === undefined
    ? `${inRange(range)} AND ${OF_ANY_SERIES}`
    : `${OF_SERIES} AND ${IN_RANGE}`;
}

/** The values of within(). */
function parameters(range: TimeRange, series: Series | undefined): readonly (string | number)[] {
  return series === undefined ? [] : seriesParameters(series, range);
}

/** @param row of a query that begins with MONTHS_OF_DAYS */
export function addMonth(found: Map<string, FoundDays>, row: TextRow): void {
  const series = toSeries(row);
  const key = seriesKey(series);
  const { days } = found.get(key) ?? { days: new Set<number>() };
  found.set(key, { series, days });
  const monthMs = int(row, 'month_us') / 1000;
  const bits = int(row, 'days');
  for (let day = 0; day < 31; day += 1)
    if ((bits & (1 << day)) !== 0) days.add(monthMs + day * DAY_MS);
}

export function rangesOf(days: ReadonlySet<number>): TimeRange[] {
  const ranges: { startMs: number; endMs: number }[] = [];
  for (const dayMs of [...days].toSorted((left, right) => left - right)) {
    const last = ranges.at(-1);
    if (last?.endMs === dayMs) last.endMs = dayMs + DAY_MS;
    else ranges.push({ startMs: dayMs, endMs: dayMs + DAY_MS });
  }
  return ranges;
}
