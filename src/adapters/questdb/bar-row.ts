import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { ExactBar, ExactTierBar } from '../../ports/bar-store.ts';
import { type BarPlace, seriesPrefix, TIER_MINUTES } from './bar-lines.ts';
import {
  IN_RANGE,
  inRange,
  int,
  literal,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  text,
  type TextRow,
} from './sql.ts';

/** The columns that toBar() reads. */
export const BAR_COLUMNS =
  'ts::long AS open_us, open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, agg_trades, trades, buy_agg_trades, buy_trades, ' +
  'price_open, price_high, price_low, price_close, first_id, last_id, status, level_from::long AS level_us, level_missing';

/** The columns that toTierBar() reads. */
export const TIER_COLUMNS =
  'ts::long AS open_us, tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades, trades, ' +
  'status, level_from::long AS level_us, level_missing';

/** The fields that bars and tiers have in common. */
function toLevels(row: TextRow): Omit<ExactTierBar, 'tier'> {
  return {
    openMs: int(row, 'open_us') / 1000,
    open: text(row, 'open'),
    high: text(row, 'high'),
    low: text(row, 'low'),
    close: text(row, 'close'),
    delta: text(row, 'delta'),
    buyVolume: text(row, 'buy_volume'),
    sellVolume: text(row, 'sell_volume'),
    aggTrades: int(row, 'agg_trades'),
    trades: int(row, 'trades'),
    status: text(row, 'status') as ExactBar['status'],
    levelFromMs: int(row, 'level_us') / 1000,
    levelMissing: optionalInt(row, 'level_missing'),
  };
}

export function toBar(row: TextRow): ExactBar {
  return {
    ...toLevels(row),
    quoteDelta: row['quote_delta'] ?? undefined,
    quoteVolume: row['quote_volume'] ?? undefined,
    buyAggTrades: optionalInt(row, 'buy_agg_trades'),
    buyTrades: optionalInt(row, 'buy_trades'),
    priceOpen: row['price_open'] ?? undefined,
    priceHigh: row['price_high'] ?? undefined,
    priceLow: row['price_low'] ?? undefined,
    priceClose: row['price_close'] ?? undefined,
    firstId: optionalInt(row, 'first_id'),
    lastId: optionalInt(row, 'last_id'),
  };
}

export function toTierBar(row: TextRow): ExactTierBar {
  return { ...toLevels(row), tier: int(row, 'tier') };
}

/** A query of the places of a series' bars in a table and a range, without those that are void. */
export function placesOf(
  table: string,
  series: Series,
  range: TimeRange,
): readonly [text: string, values: readonly (string | number)[]] {
  if (table === TIER_MINUTES) {
    const prefix = literal(seriesPrefix(series));
    return [
      `SELECT ts::long AS open_us, series_tier FROM ${table} WHERE starts_with(series_tier, ${prefix}) AND close IS NOT NULL AND ${inRange(range)}`,
      [],
    ];
  }
  const tier = table.startsWith('tiers') ? ', tier' : '';
  return [
    `SELECT ts::long AS open_us${tier} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} AND status <> 'void'`,
    seriesParameters(series, range),
  ];
}

/** undefined where the row is of a series whose name goes on. */
export function toPlace(row: TextRow, series: Series): BarPlace | undefined {
  const openMs = int(row, 'open_us') / 1000;
  const seriesTier = row['series_tier'];
  if (seriesTier === null || seriesTier === undefined)
    return { openMs, tier: row['tier'] ?? undefined };
  const tier = seriesTier.slice(seriesPrefix(series).length);
  return /^\d+$/.test(tier) ? { openMs, tier } : undefined;
}
