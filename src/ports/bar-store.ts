import type { BuiltDay, MidnightBase } from '../domain/bars/chain.ts';
import type { Bar } from '../domain/bars/bar.ts';
import type { BaseVolume, Contract } from '../domain/bars/contract.ts';
import type { DayInputs } from '../domain/bars/day.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Interval } from '../domain/time/interval.ts';
import type { Series } from '../domain/market.ts';
import type { TierBounds, TierInterval } from '../domain/bars/tier.ts';

/** One exact bar; every number is decimal text as the store gives it. */
export interface ExactBar {
  readonly openMs: number;
  /** CDV since `levelFromMs`, after the bar's first trade / highest / lowest / after its last. */
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly buyVolume: string;
  readonly sellVolume: string;
  /** undefined on a series of contracts of unknown worth. */
  readonly quoteDelta: string | undefined;
  readonly quoteVolume: string | undefined;
  readonly aggTrades: number;
  readonly trades: number;
  /** Of buying takers; the rest sold. undefined in bars of a release that did not count them. */
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

/** One exact bar of the trades of one size. */
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
  /** Lower bound of the trades' worth in quote currency. */
  readonly tier: number;
}

export interface StoredDay extends BuiltDay {
  /** `DayInputs.inputs` that the day's bars were computed from. */
  readonly inputs: string;
  /** Built in the shape of this release and with these tiers; bars of another are due. */
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

/** Oldest first, with the origin that they count from; undefined when there are none. */
export interface StoredBases {
  readonly originMs: number | undefined;
  readonly bases: readonly MidnightBase[];
}

/** A day's minutes that were computed outside the store. */
export interface ComputedMinutes {
  readonly minutes: readonly Bar[];
  /** By tier, in the order of the bounds. */
  readonly tiers: readonly (readonly Bar[])[];
  /** Of contracts of known worth, by the start of the minute. */
  readonly baseVolumes: ReadonlyMap<number, BaseVolume>;
}

/** Exact bars and midnight bases. */
export interface BarStore {
  /** Sizes of trades that are told apart. */
  readonly tiers: TierBounds;
  days(series: Series, range?: TimeRange): Promise<StoredDay[]>;
  /**
   * Computes a day's bars at every interval, each in one transaction. Every bar of the day is written:
   * one that says nothing is marked void, so that none of an earlier build can stay behind.
   * @param contract for a series that trades contracts
   * @param computed minutes to take, in statements of some hours each. Without them the store computes
   *   the minutes of all its rows whose time lies in the day's hours: only where holdsExactly()
   */
  build(
    series: Series,
    day: DayInputs,
    contract?: Contract,
    computed?: ComputedMinutes,
  ): Promise<void>;
  /** Stamps which contents a day's bars were computed from; the last step of a build. */
  stamp(series: Series, day: DayInputs, nowMs: number): Promise<void>;
  bars(series: Series, interval: Interval, range: TimeRange): Promise<ExactBar[]>;
  /** By time, then tier. */
  tierBars(series: Series, interval: TierInterval, range: TimeRange): Promise<ExactTierBar[]>;
  midnightBases(series: Series): Promise<StoredBases>;
  writeMidnightBases(
    series: Series,
    originMs: number,
    bases: readonly MidnightBase[],
  ): Promise<void>;
  restate(series: Series, rows: readonly RestatementRow[]): Promise<void>;
}

/** What is read of bars to verify them. */
export type StoredBars = Pick<BarStore, 'days' | 'bars' | 'tiers' | 'tierBars' | 'midnightBases'>;
