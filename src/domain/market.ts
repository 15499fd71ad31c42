/** Markets and series. The market is part of every key: the same symbol trades on several of them. */

export const MARKETS = ['binance_spot', 'binance_um', 'binance_cm'] as const;
export type Market = (typeof MARKETS)[number];

/** The names that users type: `--market spot`. */
export const MARKET_NAMES = {
  spot: 'binance_spot',
  um: 'binance_um',
  cm: 'binance_cm',
} as const satisfies Readonly<Record<string, Market>>;
export type MarketName = keyof typeof MARKET_NAMES;

export function marketName(market: Market): MarketName {
  return market.slice('binance_'.length) as MarketName;
}

/** The id of a symbol's very first aggregate trade. */
export function firstAggId(market: Market): number {
  return market === 'binance_spot' ? 0 : 1;
}

/** COIN-M quantities are contracts of a fixed value in quote currency; on the other markets they are base asset. */
export function tradesContracts(market: Market): boolean {
  return market === 'binance_cm';
}

/**
 * On futures markets, fills of the insurance fund and of auto-deleveraging have raw trade ids but are in
 * no aggregate trade. Raw ids may therefore skip, and candles that count these fills may show more.
 */
export function leavesOutFills(market: Market): boolean {
  return market !== 'binance_spot';
}

/** One instrument's stream of aggregate trades. */
export interface Series {
  readonly market: Market;
  /** The exchange's own upper-case symbol, e.g. BTCUSDT. */
  readonly symbol: string;
}

/** One UTC hour of one series: the unit of proof and of a REST job. */
export interface Slice extends Series {
  readonly hourMs: number;
}

/** One UTC day of one series: the unit of an archive file and of bars. */
export interface SeriesDay extends Series {
  readonly dayMs: number;
}

export function seriesKey(series: Series): string {
  return `${marketName(series.market)}-${series.symbol}`;
}
