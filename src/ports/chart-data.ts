import type { LevelTrust } from '../domain/bars/level-trust.ts';
import type { BarsPlan, BarsRequest } from '../domain/bars/bar-plan.ts';
import type { Series, SeriesDay } from '../domain/market.ts';
import type { Verdict } from '../domain/proof/ledger.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Interval } from '../domain/time/interval.ts';
import type { BarFields, BarSizes, ExactBar, RestatementRow } from './bar-store.ts';
import type {
  FootprintPage,
  FootprintRequest,
  Profile,
  ProfileRequest,
  TradesPage,
  TradesRequest,
} from './chart-trades.ts';
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

/** What belongs to the bars of a range, or of the first part of it that is not too long. */
export interface BarsPage {
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
  /**
   * A statement that gives the same bars.
   * @throws CdvaultError USAGE where SQL can't give them
   */
  sql(): string;
}

export interface AllBarsQuestion extends Omit<BarsQuestion, 'read'> {
  /**
   * @param fields the ones that are needed
   * @param take gets the bars, oldest first; a failed read may have given some
   */
  read(fields: readonly (keyof ShownBar)[], take: (bar: ShownFields) => void): Promise<BarsPage>;
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

/** Rows, and a statement that gives them to anybody who may select. */
export interface WithSql<Row> {
  readonly rows: readonly Row[];
  readonly sql: string;
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
  series(): Promise<WithSql<ChartSeries>>;
  /** @throws CdvaultError USAGE when a bar straddles the anchor, before anything is read */
  bars(series: Series, request: ShowRequest): AllBarsQuestion;
  /**
   * @param tier the only tier that is asked for; default: all
   * @throws CdvaultError USAGE when a bar straddles the anchor, or for the anchor `total`
   */
  tiers(series: Series, request: ShowRequest, tier?: number): BarsQuestion<TiersPage>;
  /**
   * The statement gives each hour of the ledger apart.
   * @throws CdvaultError UNKNOWN_SYMBOL
   */
  coverage(series: Series, range: TimeRange): Promise<WithSql<CoverageRun>>;
  /** @throws CdvaultError UNKNOWN_SYMBOL */
  gaps(series: Series, range: TimeRange): Promise<WithSql<SeenGap>>;
  /** @throws CdvaultError UNKNOWN_SYMBOL */
  restatements(series: Series, range: TimeRange): Promise<WithSql<RestatementRow>>;
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
  /**
   * The statement that gives the bars of a request.
   * @param tier only the trades of this size
   * @throws CdvaultError USAGE for a time zone that the store reads otherwise
   */
  barsStatement(series: Series, request: ShowRequest, plan: BarsPlan, tier?: number): string;
  /** The statement that gives the stored series. */
  readonly seriesStatement: string;
  /** The statement that gives the open gaps of these hours. */
  gapsStatement(series: Series, range: TimeRange): string;
  /** Gives stored bars, oldest first, of which only these fields are read. */
  eachBar(
    series: Series,
    interval: Interval,
    asked: { readonly range: TimeRange; readonly fields: readonly (keyof ExactBar)[] },
    take: (bar: BarFields) => void,
  ): Promise<void>;
  /** Hours of the ledger, oldest first. */
  judgedHours(series: Series, range: TimeRange): Promise<WithSql<JudgedHour>>;
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
  restatements(series: Series, range: TimeRange): Promise<WithSql<RestatementRow>>;
}
