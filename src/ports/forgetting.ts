import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';

/** What is stored of a series. */
export interface StoredSize {
  /** From its first to its last hour in the ledger; undefined when that has none. */
  readonly range: TimeRange | undefined;
  readonly days: number;
  /** What the ledger counts. */
  readonly rows: number;
  /** Of its table of trades; bars share their tables with other series. */
  readonly bytes: number;
  /** Whether an interrupted forget has left it. */
  readonly isBegun: boolean;
}

/** Drops all that is stored of a series. */
export interface Forgetting {
  /** @returns undefined when nothing is stored of the series, or all of it was forgotten */
  size(series: Series): Promise<StoredSize | undefined>;
  /** From here on the series is refused to all jobs and commands. @returns what takes that back, if it was not so before */
  begin(series: Series): Promise<() => Promise<void>>;
  /**
   * Drops the ledger first, so that nothing counts as proven of which a part is dropped, and the row of the series
   * last. May be interrupted at any moment, and repeated.
   */
  drop(series: Series, signal: AbortSignal): Promise<void>;
}
