import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';

/** The trades of one bin of prices. Quantities and price are decimal text. */
export interface PriceBin {
  /** Lower edge of the bin. */
  readonly price: string;
  readonly buy: string;
  readonly sell: string;
  readonly aggTrades: number;
}

export interface FootprintCell extends PriceBin {
  /** Start of the bar. */
  readonly timeMs: number;
}

export interface FootprintRequest {
  /** Bars that begin in this range are read, each as a whole. */
  readonly range: TimeRange;
  readonly lengthMs: number;
  /** Width of a bin of prices, in units of 1e-8; default: some twenty bins a bar. */
  readonly binE8?: bigint;
}

export interface FootprintPage {
  /** By time, then by price. */
  readonly cells: readonly FootprintCell[];
  /** Decimal text. */
  readonly bin: string;
  /** Where the next part begins. */
  readonly nextMs: number | undefined;
  /** A statement that gives the same cells; undefined while the series has no trades. */
  readonly sql: string | undefined;
}

export interface ProfileRequest {
  readonly range: TimeRange;
  /** Default: some fifty bins. */
  readonly binE8?: bigint;
}

export interface Profile {
  /** By price. */
  readonly bins: readonly PriceBin[];
  readonly bin: string;
  /** A statement that gives the same bins; undefined while the series has no trades. */
  readonly sql: string | undefined;
}

/** A valid trade. */
export interface ShownTrade {
  readonly aggId: number;
  readonly timeUs: number;
  readonly price: string;
  readonly qty: string;
  readonly isBuyerMaker: boolean;
  readonly firstId: number;
  readonly lastId: number;
}

export interface TradesRequest {
  readonly range: TimeRange;
  /** Only later ids. */
  readonly afterId?: number;
}

export interface TradesPage {
  /** By id. */
  readonly trades: readonly ShownTrade[];
  /** The id after which the next part begins. */
  readonly nextAfterId: number | undefined;
  /** A statement that gives the same trades; undefined while the series has no trades. */
  readonly sql: string | undefined;
}

/** How trades are put into bins: bars of one length, counted from an origin, and prices of one width. */
export interface Bins {
  readonly originMs: number;
  readonly lengthMs: number;
  readonly binE8: bigint;
}

/** What charts ask of the raw trades of a series. */
export interface TradeReads {
  /** By time, then by price; at most `limit`. If there are more, without the bar that is cut. */
  cells(
    series: Series,
    range: TimeRange,
    bins: Bins,
    limit: number,
  ): Promise<{ readonly rows: readonly FootprintCell[] } & Pick<FootprintPage, 'nextMs' | 'sql'>>;
  /** By id; at most `limit`. */
  page(series: Series, request: TradesRequest, limit: number): Promise<TradesPage>;
}
