import type { BuiltDay, MidnightBase } from '../domain/bars/chain.ts';
import type { Contract } from '../domain/bars/contract.ts';
import type { DayInputs } from '../domain/bars/day.ts';
import type { DayBars } from '../domain/bars/day-bars.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Interval } from '../domain/time/interval.ts';
import type { Series } from '../domain/market.ts';
import type { TierBounds, TierInterval } from '../domain/bars/tier.ts';

/** One exact bar. Quantities and prices are decimal text as the store returns them. */
export interface ExactBar {
  readonly openMs: number;
  /** CDV since `levelFromMs`: after the bar's first trade, its maximum, its minimum, after the last trade. */
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly buyVolume: string;
  readonly sellVolume: string;
  /** undefined for a series of contracts of unknown size. */
  readonly quoteDelta: string | undefined;
  readonly quoteVolume: string | undefined;
  readonly aggTrades: number;
  readonly trades: number;
  /** Trades whose taker bought; the rest sold. undefined in bars of a release that did not count them. */
  readonly buyAggTrades: number | undefined;
  readonly buyTrades: number | undefined;
  /** undefined in a bar without trades. */
  readonly priceOpen: string | undefined;
  readonly priceHigh: string | undefined;
  readonly priceLow: string | undefined;
  readonly priceClose: string | undefined;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  readonly status: 'final' | 'partial';
  readonly levelFromMs: number;
  /** undefined when they can't be counted. */
  readonly levelMissing: number | undefined;
}

/** Fields of an exact bar; those that were not asked for are undefined. */
export type BarFields = Pick<ExactBar, 'openMs'> & {
  readonly [Field in keyof ExactBar]?: ExactBar[Field] | undefined;
};

/** What does not depend on the anchor of a level: sizes, prices and ids, as in the exact tables. */
export type BarSizes = Pick<
  ExactBar,
  | 'buyVolume'
  | 'sellVolume'
  | 'quoteDelta'
  | 'quoteVolume'
  | 'aggTrades'
  | 'trades'
  | 'priceOpen'
  | 'priceHigh'
  | 'priceLow'
  | 'priceClose'
  | 'firstId'
  | 'lastId'
>;

/** One exact bar of the trades of one size class. */
export interface ExactTierBar extends Pick<
  ExactBar,
  | 'openMs'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'delta'
  | 'buyVolume'
  | 'sellVolume'
  | 'aggTrades'
  | 'trades'
  | 'status'
  | 'levelFromMs'
  | 'levelMissing'
> {
  /** Lower bound of the trades' value in quote currency. */
  readonly tier: number;
}

export interface StoredDay extends BuiltDay {
  /** `DayInputs.inputs` that the day's bars were computed from. */
  readonly inputs: string;
  /**
   * Whether the bars have the shape of this release and the configured tiers; others are due. Those of a day
   * whose trades were pruned count as current, whatever they are.
   */
  readonly isCurrent: boolean;
}

export interface RestatementRow {
  readonly hourMs: number;
  readonly what: 'bars' | 'anchor';
  readonly oldLevel: string | undefined;
  readonly newLevel: string | undefined;
  readonly reason: string;
  readonly seenAtMs: number;
}

export interface StoredBases {
  /** The origin that the bases count from; undefined when there are none. */
  readonly originMs: number | undefined;
  /** Oldest first. */
  readonly bases: readonly MidnightBase[];
}

/** A day's bars that are to be written. */
export interface DayToWrite {
  readonly series: Series;
  readonly day: Pick<DayInputs, 'dayMs' | 'levelFromMs'>;
  readonly bars: DayBars;
  /** For a series that trades contracts. */
  readonly contract: Contract | undefined;
  /** Bars that end at or before this instant are stored already. */
  readonly fromMs: number;
  /** Whether an earlier build may have left bars from there on that this build does not have. */
  readonly mayHaveLeft: boolean;
}

/** What a day's bars were computed from. */
export interface DayToStamp {
  readonly series: Series;
  readonly day: DayInputs;
}

/** Called again when a request has to be repeated. */
export type DaysToWrite = () => AsyncIterable<DayToWrite> | Iterable<DayToWrite>;

/** Days of a series of which nothing is due: all hours are proven, and the bars are built from exactly these. */
export interface SettledDays extends Series {
  /** Whole days, oldest first, apart from each other. */
  readonly ranges: readonly TimeRange[];
}

/** A midnight whose stored base does not follow from the stored day before it. */
export interface ChainBreak extends Series {
  readonly dayMs: number;
  /** The stored day before it, whose base is right; undefined when there is none. */
  readonly beforeMs: number | undefined;
}

/** Exact bars and midnight bases. */
export interface BarStore {
  /** The configured size classes of trades. */
  readonly tiers: TierBounds;
  days(series: Series, range?: TimeRange): Promise<StoredDay[]>;
  /**
   * Takes the validity of the days' stamps away, before their bars are written: if the build is killed, the
   * days are due, and the next build writes them whole.
   * @param days `inputs` of the bars that are stored; empty when there are none
   */
  begin(days: readonly DayToStamp[], nowMs: number): Promise<void>;
  /**
   * Writes the bars of days, of any series, in one request: a commit costs the same for one day as for a
   * hundred. Rows that an earlier build has left and that these bars do not have are marked void.
   */
  write(days: DaysToWrite, signal: AbortSignal): Promise<void>;
  /** Records which contents the bars of days were computed from; the last step of a build. */
  stamp(days: readonly DayToStamp[], nowMs: number): Promise<void>;
  bars(series: Series, interval: Interval, range: TimeRange): Promise<ExactBar[]>;
  /** Ordered by time, then by tier. */
  tierBars(series: Series, interval: TierInterval, range: TimeRange): Promise<ExactTierBar[]>;
  midnightBases(series: Series, range?: TimeRange): Promise<StoredBases>;
  writeMidnightBases(
    series: Series,
    originMs: number,
    bases: readonly MidnightBase[],
  ): Promise<void>;
  restate(series: Series, rows: readonly RestatementRow[]): Promise<void>;
  /**
   * Compares ledger and stamps in the store, without reading their rows. A day that is not among the result
   * may be settled too; its rows decide.
   * @param range whole days
   * @param series default: all
   */
  settledDays(range: TimeRange, series?: Series): Promise<SettledDays[]>;
  /**
   * The first break of each series that has one: without a break all midnight bases are those of the days.
   * @param series default: all
   */
  chainBreaks(series?: Series): Promise<ChainBreak[]>;
}

/** The part of BarStore that verification reads. */
export type StoredBars = Pick<BarStore, 'days' | 'bars' | 'tiers' | 'tierBars' | 'midnightBases'>;
