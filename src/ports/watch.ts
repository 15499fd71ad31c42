import type { CdvaultError } from '../domain/errors.ts';
import type { Market, Series } from '../domain/market.ts';
import type { GapClass, SeriesCoverage } from './ledger.ts';
import type { QueueCounts } from './job-queue.ts';
import type { GovernorState } from './weight-governor.ts';

/** What a question brought, or why nobody knows: a number is never made up for what did not answer. */
export type Answer<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly error: CdvaultError };

export interface StoreTable {
  readonly name: string;
  /** Writes are acknowledged, but never become visible. */
  readonly isSuspended: boolean;
  /** Transactions that are acknowledged and not visible yet. */
  readonly pendingTransactions: number;
}

export interface StoreHealth {
  /** Every migration of this version has been applied. */
  readonly isSchemaCurrent: boolean;
  readonly tables: readonly StoreTable[];
}

export interface OpenGaps extends Series {
  readonly gapClass: GapClass;
  readonly count: number;
}

/** Questions about the store itself, for people who watch it. */
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
  /** Since the end of its newest proven hour, or the start of its schedule where that is later. */
  readonly lagMs: number;
}

export interface Health {
  /** Redis answers. */
  readonly redis: Answer<true>;
  readonly store: Answer<StoreHealth>;
}

/** Everything that is watched, at one time. */
export interface WatchedFacts extends Health {
  readonly queues: Answer<readonly QueueCounts[]>;
  readonly coverage: Answer<readonly SeriesCoverage[]>;
  readonly openGaps: Answer<readonly OpenGaps[]>;
  readonly exchange: Answer<readonly MarketUsage[]>;
  readonly lags: Answer<readonly SeriesLag[]>;
}

export interface Readiness {
  /** Empty when work can be done. No address and no password stands in them: they are for everybody. */
  readonly reasons: readonly { readonly check: string; readonly reason: string }[];
}

export interface Watch {
  readiness(): Promise<Readiness>;
  facts(): Promise<WatchedFacts>;
}
