/** Markets and series. The market is part of every key: the same symbol trades on several of them. */

export const MARKETS = ['binance_spot', 'binance_um', 'binance_cm'] as const;
export type Market = (typeof MARKETS)[number];

/** What people type: `--market spot`. */
export const MARKET_NAMES = {
  spot: 'binance_spot',
  um: 'binance_um',
  cm: 'binance_cm',
} as const satisfies Readonly<Record<string, Market>>;
export type MarketName = keyof typeof MARKET_NAMES;

export function marketName(market: Market): MarketName {
  return market.slice('binance_'.length) as MarketName;
}

/** One instrument's stream of aggregate trades. */
export interface Series {
  readonly market: Market;
  /** The exchange's own upper-case symbol, e.g. BTCUSDT. */
  readonly symbol: string;
}

export function seriesKey(series: Series): string {
  return `${marketName(series.market)}-${series.symbol}`;
}
