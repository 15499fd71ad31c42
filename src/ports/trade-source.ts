import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Market, Series } from '../domain/market.ts';

/**
 * One minute candle of the exchange; decimals are its own text, unchanged. On COIN-M the volumes are
 * contracts, and the quote fields are in the base asset.
 */
export interface Kline {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly takerBuyVolume: string;
  /** Rounded by the exchange to 8 decimal places. */
  readonly quoteVolume: string;
  readonly takerBuyQuoteVolume: string;
  /** Raw trades, not aggregate ones. */
  readonly trades: number;
}

export interface PageRequest {
  readonly fromId: number;
  readonly unit: 'ms' | 'us';
  /** At most; default: a full page of `pageRows`. */
  readonly rows?: number | undefined;
}

/** The exchange's REST API. Every call can be aborted and throws only CdvaultError. */
export interface TradeSource {
  /** The first trade at or after an instant; undefined when there is none yet. One small request. */
  firstAtOrAfter(
    series: Series,
    timeMs: number,
    unit: 'ms' | 'us',
    signal: AbortSignal,
  ): Promise<AggTrade | undefined>;

  /**
   * Trades from an id on, ascending, as received from
   * the exchange: rows are decoded and checked against the schema; the caller checks continuity. Two
   * consecutive rows may have the same id. Empty when no trade has that id or a later one.
   */
  page(series: Series, request: PageRequest, signal: AbortSignal): Promise<readonly AggTrade[]>;

  /** The newest trade; undefined when there is none at all. One small request. */
  newest(series: Series, signal: AbortSignal): Promise<AggTrade | undefined>;

  /**
   * The exchange's minute candles, ascending, each minute at most once. A minute without trades may be a
   * flat row or absent.
   * @param range whole minutes, at most `pageRows` of them
   */
  minuteKlines(series: Series, range: TimeRange, signal: AbortSignal): Promise<readonly Kline[]>;

  /** Rows of a full page. */
  readonly pageRows: number;

  /** Request weight of a page, and also of the request for an hour's first trade. */
  pageWeight(market: Market): number;

  /**
   * How far back trades are served, in ms; Infinity when all are. Requests for older ones fail with
   * RETENTION, or the exchange skips the older trades without an error.
   */
  historyMs(market: Market): number;

  /**
   * COIN-M: value of one contract in quote currency, decimal text; the answer may be a minute old.
   * undefined when the exchange does not list the symbol, and on other markets.
   */
  contractSize(series: Series, signal: AbortSignal): Promise<string | undefined>;

  /** Whether the exchange lists the symbol, in any status. */
  isListed(series: Series, signal: AbortSignal): Promise<boolean>;

  /** Whether the symbol is open for trading; the answer may be a minute old. */
  isTrading(series: Series, signal: AbortSignal): Promise<boolean>;
}
