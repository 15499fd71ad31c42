import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { Series } from '../domain/market.ts';

/** Half-open, microseconds. */
export interface TimeWindowUs {
  readonly startUs: number;
  readonly endUs: number;
}

/** The stored rows of a series in a time window, without tombstones. */
export interface StoredRun {
  readonly rows: number;
  /** Rows in the window ± 1 s whose id is stored there a second time, with another time. */
  readonly doubleRows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Exact sums over valid trades, decimal text of scale 8. */
  readonly buyQty: string;
  readonly sellQty: string;
}

/** The key of a stored row within its series. */
export interface TradeKey {
  readonly aggId: number;
  readonly timeUs: number;
}

/** Raw trades. Writes are upserts and never delete: a row to be removed is overwritten by a tombstone. */
export interface TradeStore {
  /**
   * Writes a batch as one transaction; resolves when the server has acknowledged it.
   * @throws CdvaultError STORE_UNREACHABLE (retry with the same rows), STORE_REFUSED, TABLE_SUSPENDED
   */
  write(series: Series, trades: readonly AggTrade[], signal: AbortSignal): Promise<void>;
  /** Waits until all acknowledged rows are visible, then counts. */
  readBack(series: Series, window: TimeWindowUs): Promise<StoredRun>;
  /**
   * The same for each UTC hour of a window of whole hours, in one query; hours without rows are left out.
   * In each of them `doubleRows` is the count of the whole window.
   */
  readBackHours(series: Series, window: TimeWindowUs): Promise<ReadonlyMap<number, StoredRun>>;
  /** Rows of a window in id order; waits for acknowledged rows first. */
  read(series: Series, window: TimeWindowUs): AsyncIterable<AggTrade>;
  /** Overwrites rows with tombstones. */
  bury(series: Series, keys: readonly TradeKey[], signal: AbortSignal): Promise<void>;
}
