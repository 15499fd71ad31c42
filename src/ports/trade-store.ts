import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { Series } from '../domain/market.ts';

/** Half-open, microseconds. */
export interface TimeWindowUs {
  readonly startUs: number;
  readonly endUs: number;
}

/** What the store holds of a series in a time window, tombstones left out. */
export interface StoredRun {
  readonly rows: number;
  /** Rows in the window ± 1 s whose id stands there a second time, under another time. */
  readonly doubleRows: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Exact sums over valid trades, decimal text of scale 8. */
  readonly buyQty: string;
  readonly sellQty: string;
}

/** The key of a stored row besides its series. */
export interface TradeKey {
  readonly aggId: number;
  readonly timeUs: number;
}

/** Raw trades. Upserts never delete: a row that must go is overwritten by a tombstone. */
export interface TradeStore {
  /**
   * Writes a batch as one transaction; resolves when the server has acknowledged it.
   * @throws CdvaultError STORE_UNREACHABLE (retry with the same rows), STORE_REFUSED, TABLE_SUSPENDED
   */
  write(series: Series, trades: readonly AggTrade[], signal: AbortSignal): Promise<void>;
  /** Waits until all acknowledged rows are visible, then counts. */
  readBack(series: Series, window: TimeWindowUs): Promise<StoredRun>;
  /**
   * The same for each UTC hour of a window of whole hours, in one look; hours without rows are left out.
   * `doubleRows` is that of the whole window in each.
   */
  readBackHours(series: Series, window: TimeWindowUs): Promise<ReadonlyMap<number, StoredRun>>;
  /** Rows of a window in id order; waits for acknowledged rows first. */
  read(series: Series, window: TimeWindowUs): AsyncIterable<AggTrade>;
  bury(series: Series, keys: readonly TradeKey[], signal: AbortSignal): Promise<void>;
}
