import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** Rows of one series on their way to the store. */
export interface BulkLoad {
  /**
   * Takes the rows `[from, to)`; resolves when there is room for more. All rows of a load are one
   * transaction.
   * @throws CdvaultError as finish()
   */
  add(block: TradeBlock, from: number, to: number): Promise<void>;
  /** From now on rows are held back in memory, until keep() or drop(). */
  hold(): void;
  /** Takes the rows that were held back. */
  keep(): Promise<void>;
  /** Forgets the rows that were held back. */
  drop(): void;
  /**
   * Resolves when the server has acknowledged every row.
   * @throws CdvaultError STORE_UNREACHABLE (the rows may be stored or not, all of them or none), STORE_REFUSED
   *   (none is stored); a load is not repeated by itself
   */
  finish(): Promise<void>;
  /**
   * Ends a load that was not finished, so that nothing of it is stored; does nothing after finish(). Resolves
   * when no request is in flight any more; never throws.
   */
  abandon(): Promise<void>;
}

/** Loads raw trades of files. The same table and rules as TradeStore, but faster. */
export interface BulkStore {
  /**
   * Starts a load. The caller must keep its leases on the hours until finish() or abandon() has settled:
   * until then rows may still arrive.
   */
  open(series: Series, signal: AbortSignal): BulkLoad;
}
