import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Market, Series } from '../domain/market.ts';

/**
 * One minute as the exchange itself sums it up; decimals are its own text, untouched. On COIN-M the
 * volumes are contracts, and what is called quote here is the base asset.
 */
export interface Kline {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
  readonly takerBuyVolume: string;
  /** Rounded by the exchange to its 8 places. */
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

/** Where trades come from. Every call is abortable and throws CdvaultError only. */
export interface TradeSource {
  /** The first trade at or after an instant; undefined when there is none yet. One small request. */
  firstAtOrAfter(
    series: Series,
    timeMs: number,
    unit: 'ms' | 'us',
    signal: AbortSignal,
  ): Promise<AggTrade | undefined>;

  /**
   * Trades from an id on, ascending, as the exchange gave them: rows are decoded and schema-checked,
   * continuity is the caller's. An id may stand twice, in rows one behind the other. Empty when no
   * trade has that id or a later one.
   */
  page(series: Series, request: PageRequest, signal: AbortSignal): Promise<readonly AggTrade[]>;

  /** The newest trade; undefined when there is none at all. One small request. */
  newest(series: Series, signal: AbortSignal): Promise<AggTrade | undefined>;

  /**
   * What the exchange says of each minute, ascending, each at most once. A minute without trades may be
   * a flat row or absent.
   * @param range whole minutes, at most `pageRows` of them
   */
  minuteKlines(series: Series, range: TimeRange, signal: AbortSignal): Promise<readonly Kline[]>;

  /** Rows of a full page. */
  readonly pageRows: number;

  /** Weight of a page, and of the small question for an hour's first trade. */
  pageWeight(market: Market): number;

  /**
   * How far back trades are served; Infinity where all are. Older ones are refused (RETENTION), or passed
   * over without a word.
   */
  historyMs(market: Market): number;

  /**
   * COIN-M: worth of one contract in quote currency, decimal text, by an answer that may be a minute old.
   * undefined where the exchange does not list the symbol, and on other markets.
   */
  contractSize(series: Series, signal: AbortSignal): Promise<string | undefined>;

  /** Whether the exchange lists the symbol, in any status. */
  isListed(series: Series, signal: AbortSignal): Promise<boolean>;

  /** Whether the symbol is open for trading, by an answer that may be a minute old. */
  isTrading(series: Series, signal: AbortSignal): Promise<boolean>;
}
