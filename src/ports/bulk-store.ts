import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** Rows of one series on their way to the store. */
export interface BulkLoad {
  /**
   * Takes the rows `[from, to)`; resolves when there is room for more. They go in batches of some
   * 20,000, each one transaction; several are under way at a time and may arrive in any order.
   * @throws CdvaultError as finish(), of a batch before
   */
  add(block: TradeBlock, from: number, to: number): Promise<void>;
  /**
   * Resolves when the server has acknowledged every row.
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, TABLE_SUSPENDED: any batch may be missing
   */
  finish(): Promise<void>;
  /** Resolves when nothing is under way any more, whatever has become of it; never throws. */
  abandon(): Promise<void>;
}

/** Raw trades of whole files. The same table and rules as TradeStore; only faster. */
export interface BulkStore {
  /** Whoever owns the rows gives them free only when the load has finished or been abandoned: none may arrive later. */
  open(series: Series, signal: AbortSignal): BulkLoad;
}
