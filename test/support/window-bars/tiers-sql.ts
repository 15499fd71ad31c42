import type { Contract } from '../../../src/domain/bars/contract.ts';
import type { DayInputs } from '../../../src/domain/bars/day.ts';
import type { Series } from '../../../src/domain/market.ts';
import type { TierBounds, TierInterval } from '../../../src/domain/bars/tier.ts';
import { rowsOfDay, statusCase, type WindowBars, withinDay } from './bars-sql.ts';
import { literal, ofSeries, timestamp } from '../../../src/adapters/questdb/sql.ts';
import { DELTA, limbsOf, type RowOrder } from './traded-minutes.ts';

const COLUMNS =
  'ts, market, symbol, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, ' +
  'status, level_from, level_missing, series_tier';

const MINUTE_COLUMNS =
  'ts, series_tier, open, high, low, close, buy_volume, sell_volume, agg_trades, trades';

/** What the build of a day's tiers needs to know. */
export interface TierRequest {
  readonly bounds: TierBounds;
  readonly order: RowOrder;
  readonly contract: Contract | undefined;
}

/** The names of a series' tiers, which the view of minutes asks for. Rows of the day replace these. */
export function tierNames(series: Series, day: DayInputs, bounds: TierBounds): string {
  const rows = bounds.map(
    (bound) =>
      `(${timestamp(day.dayMs)}, ${literal(series.market)}, ${literal(series.symbol)}, '${bound}', 'void', ${literal(`${series.market} ${series.symbol} ${bound}`)})`,
  );
  return `INSERT INTO tiers_exact_1d (ts, market, symbol, tier, status, series_tier) VALUES ${rows.join(', ')}`;
}

/**
 * One day's minutes of each tier, like minuteBars: a running sum in each tier, over the minutes that have a
 * bar. The day's minute bars must be stored already.
 */
export function tierMinutes(
  { table, into }: WindowBars,
  day: DayInputs,
  request: TierRequest,
): string {
  const { order, bounds, contract } = request;
  const limbs = limbsOf(day);
  const isStored = order === 'stored';
  const over = `OVER (PARTITION BY tier ORDER BY ts${isStored ? '' : ', agg_id'})`;
  const first = (column: string) => (isStored ? `first(${column})` : `arg_min(${column}, place)`);
  const last = (column: string) => (isStored ? `last(${column})` : `arg_max(${column}, place)`);
  const seriesTier = (bound: number) => `${into.market} ${into.symbol} ${bound}`;
  const isSilent = `m.ts IS NULL OR m.ts <> s.ts`;
  const level = (name: string, traded: string) =>
    `CASE WHEN m.ts IS NULL THEN 0.00000000m WHEN m.ts = s.ts THEN ${traded} ` +
    `ELSE ${limbs.level('m.close')} END::decimal(38,8) ${name}`;
  const sum = (name: string, zero: string) =>
    `CASE WHEN ${isSilent} THEN ${zero} ELSE v.${name} END`;
  return `
INSERT ATOMIC INTO tier_minutes (${MINUTE_COLUMNS})
SELECT * FROM (
  WITH sized AS (
    SELECT ts, agg_id, qty, is_buyer_maker, first_id, last_id, ${DELTA} delta, ${tierOf(bounds, contract)} tier
    FROM ${rowsOfDay(table, day)}
  ),
  running AS (
    SELECT ts, tier, ${limbs.sums(over)}${isStored ? '' : `, row_number() ${over} place`} FROM sized
  ),
  levels AS (
    SELECT ts, tier, ${limbs.edge(first, 'open')}, ${limbs.edge(last, 'close')},
      ${limbs.extreme('max')} high, ${limbs.extreme('min')} low
    FROM running TIMESTAMP(ts) SAMPLE BY 1m
  ),
  sums AS (
    SELECT ts, tier, sum(delta) delta,
      sum(CASE WHEN is_buyer_maker THEN 0m ELSE qty END) buy_volume,
      sum(CASE WHEN is_buyer_maker THEN qty ELSE 0m END) sell_volume,
      count() agg_trades, sum(last_id - first_id + 1) trades
    FROM sized TIMESTAMP(ts) SAMPLE BY 1m
  ),
  spine AS (
    SELECT b.ts, t.tier
    FROM (
      SELECT ts FROM cdv_exact_1m WHERE ${ofSeries(into)} AND ${withinDay(day)}
    ) b CROSS JOIN (SELECT (x - 1)::int tier FROM long_sequence(${bounds.length})) t
  )
  SELECT s.ts, ${nameOf('s.tier', bounds.map(seriesTier))} series_tier,
    ${level('open', limbs.level('m.open'))}, ${level('high', 'm.high')}, ${level('low', 'm.low')},
    ${level('close', limbs.level('m.close'))},
    ${['buy_volume', 'sell_volume'].map((name) => `${sum(name, '0m')}::decimal(38,8) ${name}`).join(', ')},
    ${['agg_trades', 'trades'].map((name) => `${sum(name, '0L')} ${name}`).join(', ')}
  FROM (spine TIMESTAMP(ts)) s ASOF JOIN (levels TIMESTAMP(ts)) m ON (tier) ASOF JOIN (sums TIMESTAMP(ts)) v ON (tier)
)`;
}

/** Whether the contract size is unknown; a trade's tier is then unknown, too. */
export function hasNoTiers(contract: Contract | undefined): boolean {
  return contract !== undefined && contract.size === undefined;
}

/** The index of a trade's tier. */
function tierOf(bounds: TierBounds, contract: Contract | undefined): string {
  const worth = `qty * ${contract === undefined ? 'price' : `${contract.size ?? '0'}m`}`;
  const cases = bounds
    .map((bound, index) => `WHEN ${worth} >= ${bound}m THEN ${index}`)
    .slice(1)
    .toReversed();
  return cases.length === 0 ? '0' : `CASE ${cases.join(' ')} ELSE 0 END`;
}

function nameOf(index: string, names: readonly string[]): string {
  const cases = names.map((name, place) => `WHEN ${index} = ${place} THEN ${literal(name)}`);
  return `CASE ${cases.join(' ')} END`;
}

/** A day's longer bars of each tier, computed from its minutes like rolledUpBars. */
export function rolledUpTiers(series: Series, day: DayInputs, interval: TierInterval): string {
  const traded = (column: string) =>
    `CASE WHEN t.ts IS NULL THEN b.close ELSE t.${column} END ${column}`;
  return `
INSERT ATOMIC INTO tiers_exact_${interval} (${COLUMNS})
SELECT * FROM (
  WITH minutes AS (SELECT * FROM tiers_exact_1m WHERE ${ofSeries(series)} AND ${withinDay(day)}),
  bars AS (
    SELECT ts, tier, last(close) close, sum(delta) delta, sum(buy_volume) buy_volume, sum(sell_volume) sell_volume,
      sum(agg_trades) agg_trades, sum(trades) trades, first(level_from) level_from, max(level_missing) level_missing,
      sum(CASE WHEN status = 'void' THEN 0 ELSE 1 END) live_minutes
    FROM minutes TIMESTAMP(ts) SAMPLE BY ${interval}
  ),
  traded AS (
    SELECT ts, tier, first(open) open, max(high) high, min(low) low
    FROM (SELECT * FROM minutes WHERE agg_trades > 0) TIMESTAMP(ts) SAMPLE BY ${interval}
  )
  SELECT b.ts, ${literal(series.market)} market, ${literal(series.symbol)} symbol, b.tier,
    ${traded('open')}, ${traded('high')}, ${traded('low')}, b.close,
    b.delta::decimal(38,8) delta, b.buy_volume::decimal(38,8) buy_volume, b.sell_volume::decimal(38,8) sell_volume,
    b.agg_trades, b.trades, ${statusCase(day, interval)} status, b.level_from, b.level_missing,
    concat(${literal(`${series.market} ${series.symbol} `)}, b.tier) series_tier
  FROM bars b LEFT JOIN traded t ON b.ts = t.ts AND b.tier = t.tier
)`;
}
