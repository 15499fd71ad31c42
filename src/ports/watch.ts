import type { CdvaultError } from '../domain/errors.ts';
import type { Market, Series } from '../domain/market.ts';
import type { GapClass, SeriesCoverage } from './ledger.ts';
import type { QueueCounts } from './job-queue.ts';
import type { GovernorState } from './weight-governor.ts';

/** The value of a metric, or the error when it is unknown. An unknown value is never replaced by a number. */
export type Answer<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly error: CdvaultError };

export interface StoreTable {
  readonly name: string;
  /** QuestDB has suspended the table: writes are acknowledged but do not become visible. */
  readonly isSuspended: boolean;
  /** Transactions that are acknowledged and not visible yet. */
  readonly pendingTransactions: number;
}

export interface StoreHealth {
  /** Whether every migration of this version has been applied. */
  readonly isSchemaCurrent: boolean;
  readonly tables: readonly StoreTable[];
}

export interface OpenGaps extends Series {
  readonly gapClass: GapClass;
  readonly count: number;
}

/** State of the store, for monitoring. */
export interface StoreWatch {
  /** @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED */
  health(): Promise<StoreHealth>;
  openGaps(): Promise<readonly OpenGaps[]>;
}

export interface MarketUsage extends GovernorState {
  readonly market: Market;
}

/** How far a scheduled series is behind. */
export interface SeriesLag extends Series {
  /** Time since the end of its newest proven hour, or since the start of its schedule if that is later. */
  readonly lagMs: number;
}

export interface Health {
  /** Redis answers. */
  readonly redis: Answer<true>;
  readonly store: Answer<StoreHealth>;
}

/** All metrics, at one time. */
export interface WatchedFacts extends Health {
  readonly queues: Answer<readonly QueueCounts[]>;
  readonly coverage: Answer<readonly SeriesCoverage[]>;
  readonly openGaps: Answer<readonly OpenGaps[]>;
  readonly exchange: Answer<readonly MarketUsage[]>;
  readonly lags: Answer<readonly SeriesLag[]>;
}

export interface Readiness {
  /** Empty when cdvault can work. Reasons are public, so they contain no address and no password. */
  readonly reasons: readonly { readonly check: string; readonly reason: string }[];
}

export interface Watch {
  readiness(): Promise<Readiness>;
  facts(): Promise<WatchedFacts>;
}
