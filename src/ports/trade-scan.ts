import type { StoredTrades } from '../domain/trade/stored-trades.ts';
import type { Series } from '../domain/market.ts';
import type { TimeWindowUs } from './trade-store.ts';

/** Reads stored trades in bulk, without tombstones. The store allows few of these reads at a time. */
export interface TradeScan {
  /**
   * The rows of a window of whole hours, hour after hour of their time, and in id order within an hour.
   * Waits for acknowledged rows first. Batches are valid until the next one is asked for.
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, TABLE_SUSPENDED
   */
  hours(series: Series, window: TimeWindowUs, signal: AbortSignal): AsyncIterable<StoredTrades>;
}
