import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** Rows of one series on their way to the store. */
export interface BulkLoad {
  /**
   * Takes the rows `[from, to)`; resolves when there is room for more. Rows are sent in batches of about
   * 20,000, each one transaction; several are in flight at a time and may arrive in any order.
   * @throws CdvaultError as finish(), for an earlier batch
   */
  add(block: TradeBlock, from: number, to: number): Promise<void>;
  /**
   * Resolves when the server has acknowledged every row.
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, TABLE_SUSPENDED: any batch may be missing
   */
  finish(): Promise<void>;
  /** Resolves when no batch is in flight any more, whether it succeeded or failed; never throws. */
  abandon(): Promise<void>;
}

/** Loads raw trades of whole files. The same table and rules as TradeStore, but faster. */
export interface BulkStore {
  /**
   * Starts a load. The caller must keep its leases on the hours until finish() or abandon() has settled:
   * until then rows may still arrive.
   */
  open(series: Series, signal: AbortSignal): BulkLoad;
}
