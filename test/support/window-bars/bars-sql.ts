import { barStatus, type DayInputs } from '../../../src/domain/bars/day.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { INTERVAL_MS, type Interval } from '../../../src/domain/time/interval.ts';
import type { Series } from '../../../src/domain/market.ts';
import type { Contract } from '../../../src/domain/bars/contract.ts';
import { SUMMED_BASE_VOLUMES, worthOf } from './contract-sql.ts';
import { literal, ofSeries, timestamp } from '../../../src/adapters/questdb/sql.ts';
import { type Limbs, limbsOf, type RowOrder, tradedMinutes } from './traded-minutes.ts';
import { VALID_ROWS } from '../../../src/adapters/questdb/trade-store.ts';

/** The table whose trades are read, and the series under whose name the bars are written. */
export interface WindowBars {
  readonly table: string;
  readonly into: Series;
}

const COUNTS_BY_SIDE = ['buy_agg_trades', 'buy_trades'] as const;

/** The columns in the order of the statements; a table may have more, and in another order. */
const COLUMNS = [
  'ts, market, symbol, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume',
  'agg_trades, trades, price_open, price_high, price_low, price_close, first_id, last_id',
  'status, level_from, level_missing, base_buy_volume, base_sell_volume',
  ...COUNTS_BY_SIDE,
].join(', ');

/**
 * One day's minute bars in one statement, computed from the day's own trades only. A silent minute takes the
 * level of the last minute with trades before it. All 1,440 minutes are written, those without any
 * information as `void`, so that no row of an earlier build remains.
 */
export function minuteBars(
  { table, into }: WindowBars,
  day: DayInputs,
  order: RowOrder,
  contract?: Contract,
): string {
  const worth = worthOf(contract);
  const limbs = limbsOf(day);
  const proven = day.hours
    .filter(({ verdict }) => verdict === 'proven')
    .map(({ hourMs }) => hourOf(hourMs));
  const rows = rowsOfDay(table, day);
  return `
INSERT ATOMIC INTO cdv_exact_1m (${COLUMNS})
SELECT * FROM (
  WITH ${tradedMinutes(rows, limbs, order, worth.minute)},
  spine AS (
    SELECT dateadd('m', (x - 1)::int, ${timestamp(day.dayMs)}) ts FROM long_sequence(${DAY_MS / MINUTE_MS})
  )
  SELECT s.ts, ${literal(into.market)} market, ${literal(into.symbol)} symbol,
    ${minuteColumns(limbs, worth.silent)},
    CASE WHEN ${inHours('s.ts', proven)} THEN 'final' WHEN m.ts = s.ts THEN 'partial' ELSE 'void' END status,
    ${timestamp(day.levelFromMs)} level_from,
    ${levelMissing(day)} level_missing,
    ${worth.baseVolumes},
    ${COUNTS_BY_SIDE.map((name) => `${whenTraded(`v.${name}`, '0L')} ${name}`).join(', ')}
  FROM (spine TIMESTAMP(ts)) s ASOF JOIN (levels TIMESTAMP(ts)) m ASOF JOIN (sums TIMESTAMP(ts)) v
)`;
}

/** The table and the WHERE condition of the trades that count in a day's bars. */
export function rowsOfDay(table: string, day: DayInputs): string {
  const known = day.hours.map(({ hourMs }) => hourOf(hourMs));
  return (
    `${table} WHERE ${withinDay(day)} AND ${VALID_ROWS}` +
    (known.length < 24 ? ` AND ${inHours('ts', known)}` : '')
  );
}

export function withinDay({ dayMs }: DayInputs): string {
  return `ts >= ${timestamp(dayMs)} AND ts < ${timestamp(dayMs + DAY_MS)}`;
}

/**
 * `s` is a minute of the day; `m` and `v` are levels and sums of the last minute with trades up to it, if
 * any.
 */
const minuteColumns = ({ level }: Limbs, silentWorth: string) =>
  [
    ...[
      ['open', level('m.open')],
      ['high', 'm.high'],
      ['low', 'm.low'],
      ['close', level('m.close')],
    ].map(
      ([name, traded]) =>
        `CASE WHEN m.ts IS NULL THEN 0.00000000m WHEN m.ts = s.ts THEN ${traded} ` +
        `ELSE ${level('m.close')} END::decimal(38,8) ${name}`,
    ),
    ...['delta', 'buy_volume', 'sell_volume'].map(
      (name) => `${whenTraded(`v.${name}`, '0m')}::decimal(38,8) ${name}`,
    ),
    ...['quote_delta', 'quote_volume'].map(
      (name) => `${whenTraded(`v.${name}`, silentWorth)}::decimal(38,16) ${name}`,
    ),
    ...['agg_trades', 'trades'].map((name) => `${whenTraded(`v.${name}`, '0L')} ${name}`),
    `${whenTraded('m.price_open', 'NULL')} price_open`,
    `${whenTraded('v.price_high', 'NULL')} price_high`,
    `${whenTraded('v.price_low', 'NULL')} price_low`,
    `${whenTraded('m.price_close', 'NULL')} price_close`,
    `${whenTraded('v.first_id', 'NULL')} first_id`,
    `${whenTraded('v.last_id', 'NULL')} last_id`,
  ].join(',\n    ');

function whenTraded(value: string, otherwise: string): string {
  return `CASE WHEN m.ts = s.ts THEN ${value} ELSE ${otherwise} END`;
}

/**
 * A day's bars of a longer interval, computed from its minute bars; the result equals that from the trades.
 * Open, high and low come from minutes with trades only, since no trade had the flat level of a silent
 * minute.
 */
export function rolledUpBars(series: Series, day: DayInputs, interval: Interval): string {
  const traded = (column: string) =>
    `CASE WHEN t.ts IS NULL THEN b.close ELSE t.${column} END ${column}`;
  return `
INSERT ATOMIC INTO cdv_exact_${interval} (${COLUMNS})
SELECT * FROM (
  WITH minutes AS (SELECT * FROM cdv_exact_1m WHERE ${ofSeries(series)} AND ${withinDay(day)}),
  bars AS (
    SELECT ts, last(close) close, sum(delta) delta, sum(buy_volume) buy_volume, sum(sell_volume) sell_volume,
      sum(quote_delta) quote_delta, sum(quote_volume) quote_volume, sum(agg_trades) agg_trades, sum(trades) trades,
      min(first_id) first_id, max(last_id) last_id, max(level_missing) level_missing,
      ${SUMMED_BASE_VOLUMES},
      ${COUNTS_BY_SIDE.map((name) => `sum(${name}) ${name}`).join(', ')},
      sum(CASE WHEN status = 'void' THEN 0 ELSE 1 END) live_minutes
    FROM minutes TIMESTAMP(ts) SAMPLE BY ${interval}
  ),
  traded AS (
    SELECT ts, first(open) open, max(high) high, min(low) low,
      first(price_open) price_open, max(price_high) price_high, min(price_low) price_low, last(price_close) price_close
    FROM (SELECT * FROM minutes WHERE agg_trades > 0) TIMESTAMP(ts) SAMPLE BY ${interval}
  )
  SELECT b.ts, ${literal(series.market)} market, ${literal(series.symbol)} symbol,
    ${traded('open')}, ${traded('high')}, ${traded('low')}, b.close,
    b.delta::decimal(38,8) delta, b.buy_volume::decimal(38,8) buy_volume, b.sell_volume::decimal(38,8) sell_volume,
    b.quote_delta::decimal(38,16) quote_delta, b.quote_volume::decimal(38,16) quote_volume,
    b.agg_trades, b.trades, t.price_open, t.price_high, t.price_low, t.price_close, b.first_id, b.last_id,
    ${statusCase(day, interval)} status, ${timestamp(day.levelFromMs)} level_from, b.level_missing,
    b.base_buy_volume, b.base_sell_volume, ${COUNTS_BY_SIDE.map((name) => `b.${name}`).join(', ')}
  FROM bars b LEFT JOIN traded t ON b.ts = t.ts
)`;
}

export function statusCase(day: DayInputs, interval: Interval): string {
  const stepMs = Math.max(INTERVAL_MS[interval], HOUR_MS);
  const finals: string[] = [];
  for (let startMs = day.dayMs; startMs < day.dayMs + DAY_MS; startMs += stepMs) {
    if (barStatus(day, startMs, stepMs) === 'final') finals.push(timestamp(startMs));
  }
  const bucket = INTERVAL_MS[interval] < HOUR_MS ? "timestamp_floor('h', b.ts)" : 'b.ts';
  const final = finals.length === 0 ? '' : `WHEN ${bucket} IN (${finals.join(', ')}) THEN 'final' `;
  return `CASE WHEN b.live_minutes = 0 THEN 'void' ${final}ELSE 'partial' END`;
}

function levelMissing(day: DayInputs): string {
  if (day.missing === undefined) return 'null::long';
  const branches = day.hours
    .filter(({ levelMissing: missing }) => missing !== 0)
    .map(
      ({ hourMs, levelMissing: missing }) =>
        `WHEN hour(s.ts) = ${hourOf(hourMs)} THEN ${missing ?? 0}L`,
    );
  return branches.length === 0 ? '0L' : `CASE ${branches.join(' ')} ELSE 0L END`;
}

function inHours(column: string, hours: readonly number[]): string {
  return hours.length === 0 ? 'false' : `hour(${column}) IN (${hours.join(', ')})`;
}

function hourOf(hourMs: number): number {
  return new Date(hourMs).getUTCHours();
}
