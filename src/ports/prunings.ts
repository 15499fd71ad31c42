import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';

/** A day whose raw trades were dropped. */
export interface PrunedDay {
  readonly dayMs: number;
  /** What the ledger counts in its hours. */
  readonly rows: number;
  readonly prunedAtMs: number;
}

/** The record of days whose raw trades were dropped on purpose. */
export interface Prunings {
  /** Days that a range touches, oldest first; those that were fetched again are left out. */
  days(series: Series, range: TimeRange): Promise<readonly PrunedDay[]>;
  record(series: Series, days: readonly PrunedDay[]): Promise<void>;
  /** The trades of these days are stored and proven again. */
  fetchedAgain(series: Series, days: readonly PrunedDay[], nowMs: number): Promise<void>;
}
