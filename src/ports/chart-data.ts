import type { LevelTrust } from '../domain/bars/level-trust.ts';
import type { BarsPlan, BarsRequest } from '../domain/bars/bar-plan.ts';
import type { Series, SeriesDay } from '../domain/market.ts';
import type { Verdict } from '../domain/proof/ledger.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Interval } from '../domain/time/interval.ts';
import type { BarFields, BarSizes, ExactBar, RestatementRow } from './bar-store.ts';
import type { NewestFailure } from './job-queue.ts';
import type { SeenGap, SeriesCoverage } from './ledger.ts';
import type { SeriesLag } from './watch.ts';

/** Levels and delta as decimal text of scale 8. */
export interface ShownBar extends LevelTrust, BarSizes {
  readonly openMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: 'final' | 'partial' | 'forming';
}

/** Fields of a shown bar; those that were not asked for may be undefined. */
export type ShownFields = Pick<ShownBar, 'openMs'> & {
  readonly [Field in keyof ShownBar]?: ShownBar[Field] | undefined;
};

export interface ShowRequest extends BarsRequest {
  /** Where a bar opens: after its `first` trade, as stored, or where the `previous` one closed. */
  readonly open: 'first' | 'previous';
}

/** Bars of a range, or of the first part of it that is not too long. */
export interface BarsPage {
  readonly bars: readonly ShownFields[];
  /** Spans of requested bars that are not stored, merged, oldest first. */
  readonly missing: readonly TimeRange[];
  /** Where the next part begins, and the anchor that keeps its levels; undefined when nothing is left. */
  readonly next: { readonly startMs: number; readonly anchorMs: number | undefined } | undefined;
}

/** A question about bars. Nothing is read before a method is called. */
export interface BarsQuestion<Page = BarsPage> {
  /**
   * A text that changes whenever the answer does; undefined while a day of it is being written. It is read
   * before the bars, so bars may be newer than their tag, and never older.
   */
  tag(): Promise<string | undefined>;
  read(): Promise<Page>;
}

export interface BarsWithSql extends Omit<BarsQuestion, 'read'> {
  /** @param fields the only ones that are needed; default: all */
  read(fields?: readonly (keyof ShownBar)[]): Promise<BarsPage>;
  /** A statement that gives the same bars. */
  sql(): string;
}

/** A bar of the trades of one size. */
export interface ShownTierBar extends Omit<
  ShownBar,
  | 'quoteDelta'
  | 'quoteVolume'
  | 'priceOpen'
  | 'priceHigh'
  | 'priceLow'
  | 'priceClose'
  | 'firstId'
  | 'lastId'
> {
  /** Lower bound of the trades' value in quote currency. */
  readonly tier: number;
}

export interface TiersPage extends Pick<BarsPage, 'next'> {
  /** By time, then by tier. */
  readonly bars: readonly ShownTierBar[];
  /** The lower bounds that the stored bars have, ascending. */
  readonly tiers: readonly number[];
}

export interface ChartSeries extends SeriesCoverage {
  readonly unit: 'base' | 'contracts';
  /** Value of one contract in quote currency, decimal text; undefined when it is unknown or there are no contracts. */
  readonly contractSize: string | undefined;
  /** Where continuous CDV is 0; undefined when the store has lost it. */
  readonly originMs: number | undefined;
  readonly isScheduled: boolean;
}

/** The ledger's word about one hour. */
export interface JudgedHour {
  readonly hourMs: number;
  readonly verdict: Verdict;
  /** undefined when the missing ids can't be counted. */
  readonly missing: number | undefined;
}

/** Hours of one verdict. */
export interface CoverageRun extends TimeRange {
  readonly verdict: Verdict | 'unknown';
  readonly missing: number | undefined;
}

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
}

/** What runs, for a corner of the page. */
export interface ServiceStatus {
  readonly services: { readonly redis: boolean; readonly store: boolean };
  /** undefined when they can't be counted. */
  readonly jobs:
    | { readonly waiting: number; readonly active: number; readonly failed: number }
    | undefined;
  /** The scheduled series that is farthest behind; undefined when none is scheduled, or it is not known. */
  readonly lag: SeriesLag | undefined;
  /** The job that failed last, of those that are kept. */
  readonly lastError: NewestFailure | undefined;
}

/** Days of a series whose bars were built. */
export interface BuiltSpan extends Series, TimeRange {}

/** What happens while somebody listens. */
export interface ChartListener {
  readonly onBuilt: (spans: readonly BuiltSpan[]) => void;
  readonly onStatus: (status: ServiceStatus) => void;
}

export interface ChartEvents {
  status(): Promise<ServiceStatus>;
  /**
   * Listens until the signal is aborted. The store is asked once for all listeners, and goes on being asked
   * when it did not answer.
   * @throws CdvaultError QUERY_BUSY when too many listen already
   */
  listen(listener: ChartListener, signal: AbortSignal): void;
}

/** Everything that charts, scripts and notebooks read. */
export interface ChartData {
  /** Stored series, by market and symbol. */
  series(): Promise<readonly ChartSeries[]>;
  /** @throws CdvaultError USAGE when a bar straddles the anchor, before anything is read */
  bars(series: Series, request: ShowRequest): BarsWithSql;
  /**
   * @param tier the only tier that is asked for; default: all
   * @throws CdvaultError USAGE when a bar straddles the anchor, or for the anchor `total`
   */
  tiers(series: Series, request: ShowRequest, tier?: number): BarsQuestion<TiersPage>;
  /** @throws CdvaultError UNKNOWN_SYMBOL */
  coverage(series: Series, range: TimeRange): Promise<readonly CoverageRun[]>;
  /** @throws CdvaultError UNKNOWN_SYMBOL */
  gaps(series: Series, range: TimeRange): Promise<readonly SeenGap[]>;
  /** @throws CdvaultError UNKNOWN_SYMBOL */
  restatements(series: Series, range: TimeRange): Promise<readonly RestatementRow[]>;
  /** @throws CdvaultError UNKNOWN_SYMBOL; BAD_RANGE when it has too many trades or cells */
  footprint(series: Series, request: FootprintRequest): Promise<FootprintPage>;
  /** @throws CdvaultError UNKNOWN_SYMBOL; BAD_RANGE when it has too many trades */
  profile(series: Series, request: ProfileRequest): Promise<Profile>;
  /** @throws CdvaultError UNKNOWN_SYMBOL; BAD_RANGE for more than a day */
  trades(series: Series, request: TradesRequest): Promise<TradesPage>;
}

export interface BuiltDay extends SeriesDay {
  readonly builtUs: number;
}

/** What only charts ask the store. */
export interface ChartReads {
  /** The statement that gives the bars of a request. */
  barsStatement(series: Series, request: ShowRequest, plan: BarsPlan): string;
  /** Stored bars, of which only these fields are read. */
  barFields(
    series: Series,
    interval: Interval,
    range: TimeRange,
    fields: readonly (keyof ExactBar)[],
  ): Promise<readonly BarFields[]>;
  /** Hours of the ledger, oldest first. */
  judgedHours(series: Series, range: TimeRange): Promise<readonly JudgedHour[]>;
  /**
   * A digest of which build of each day is stored; undefined while a day is being written, because its bars
   * then change before its stamp does.
   * @param days whole days
   */
  buildsDigest(series: Series, days: TimeRange): Promise<string | undefined>;
  /** A digest of the continuous levels at these midnights. */
  basesDigest(series: Series, days: TimeRange): Promise<string>;
  /** A digest of what the ledger says of these hours. */
  hoursDigest(series: Series, hours: TimeRange): Promise<string>;
  /**
   * Days whose bars were built at or after an instant, and when, epoch µs; days that are being written are left
   * out.
   */
  builtSince(timeUs: number): Promise<readonly BuiltDay[]>;
  /** By hour. */
  restatements(series: Series, range: TimeRange): Promise<readonly RestatementRow[]>;
}

/** How trades are put into bins: bars of one length, counted from an origin, and prices of one width. */
export interface Bins {
  readonly originMs: number;
  readonly lengthMs: number;
  readonly binE8: bigint;
}

/** What charts ask of the raw trades of a series. */
export interface TradeReads {
  /** By time, then by price; at most `limit`. */
  cells(
    series: Series,
    range: TimeRange,
    bins: Bins,
    limit: number,
  ): Promise<readonly FootprintCell[]>;
  /** By id; at most `limit`. */
  page(series: Series, request: TradesRequest, limit: number): Promise<readonly ShownTrade[]>;
}
