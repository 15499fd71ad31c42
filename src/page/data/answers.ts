/** The answers of the API that the page reads. Times are epoch ms; decimals are text (`exact=true`). */

import type { MarketName } from '../../domain/market.ts';

export interface SeriesFacts {
  readonly market: MarketName;
  readonly symbol: string;
  readonly unit: 'base' | 'contracts';
  readonly contractSize: string | null;
  readonly from: number;
  readonly to: number;
  readonly provenTo: number | null;
  readonly rows: number;
  readonly isScheduled: boolean;
}

export interface SeriesAnswer {
  readonly series: readonly SeriesFacts[];
}

type Column<T> = readonly T[];

export type BarStatus = 'final' | 'partial' | 'forming';

export interface LevelColumns {
  readonly time: Column<number>;
  readonly end: Column<number>;
  readonly open: Column<string>;
  readonly high: Column<string>;
  readonly low: Column<string>;
  readonly close: Column<string>;
  readonly delta: Column<string>;
  readonly status: Column<BarStatus>;
  readonly levelMissing: Column<number | null>;
}

export interface BarColumns extends LevelColumns {
  readonly buyVolume: Column<string>;
  readonly sellVolume: Column<string>;
  /** null where the value of a contract is unknown. */
  readonly quoteDelta: Column<string | null>;
  readonly aggTrades: Column<number>;
  readonly trades: Column<number>;
  readonly priceOpen: Column<string | null>;
  readonly priceHigh: Column<string | null>;
  readonly priceLow: Column<string | null>;
  readonly priceClose: Column<string | null>;
  readonly firstId: Column<number | null>;
  readonly lastId: Column<number | null>;
  readonly levelFrom: Column<number>;
}

export interface Table<Columns> {
  readonly columns: Columns;
  readonly count: number;
  /** A link to go on when a limit was reached. */
  readonly next: string | null;
}

export interface BarsAnswer extends Table<BarColumns> {
  readonly unit: 'base' | 'contracts';
  /** Spans of asked bars that are not stored. */
  readonly missing: { readonly from: Column<number>; readonly to: Column<number> };
}

export interface TiersAnswer extends Table<LevelColumns> {
  /** Lower bounds in quote currency, ascending. */
  readonly tiers: readonly number[];
}

export type Verdict = 'proven' | 'open' | 'gap' | 'unknown';

export type CoverageAnswer = Table<{
  readonly from: Column<number>;
  readonly to: Column<number>;
  readonly verdict: Column<Verdict>;
  readonly missing: Column<number | null>;
}>;

export type GapsAnswer = Table<{
  readonly hour: Column<number>;
  readonly class: Column<string>;
  readonly fromId: Column<number | null>;
  readonly toId: Column<number | null>;
  readonly evidence: Column<string>;
}>;

export interface FootprintAnswer extends Table<{
  readonly time: Column<number>;
  readonly price: Column<string>;
  readonly buy: Column<string>;
  readonly sell: Column<string>;
}> {
  readonly bin: string;
}

export interface ProfileAnswer extends Table<{
  readonly price: Column<string>;
  readonly buy: Column<string>;
  readonly sell: Column<string>;
}> {
  readonly bin: string;
}

export interface StatusAnswer {
  readonly version: string;
  readonly services: { readonly redis: boolean; readonly store: boolean };
  readonly jobs: {
    readonly waiting: number;
    readonly active: number;
    readonly failed: number;
  } | null;
  readonly lag: {
    readonly market: MarketName;
    readonly symbol: string;
    readonly ms: number;
  } | null;
  readonly lastError: {
    readonly at: number;
    readonly message: string;
    readonly job: string | null;
  } | null;
}

/** What the endpoints answer, by their paths under /api/v1. */
export interface Answers {
  readonly series: SeriesAnswer;
  readonly bars: BarsAnswer;
  readonly tiers: TiersAnswer;
  readonly coverage: CoverageAnswer;
  readonly gaps: GapsAnswer;
  readonly footprint: FootprintAnswer;
  readonly profile: ProfileAnswer;
  readonly status: StatusAnswer;
}

export type Endpoint = keyof Answers;
