import type { DataOfBars } from '../domain/proof/export.ts';
import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { TimeWindowUs } from './trade-store.ts';

/** Trades of a window whose ids lie in a range. */
export interface TradesByIds {
  readonly window: TimeWindowUs;
  /** Both included. */
  readonly firstId: number;
  readonly lastId: number;
}

/**
 * Parquet files that the store makes from its tables, piece by piece. Both methods wait for acknowledged
 * rows first and throw CdvaultError STORE_UNREACHABLE, STORE_REFUSED, TABLE_SUSPENDED.
 */
export interface ParquetExport {
  /** TRADE_COLUMNS, in id order, without tombstones. */
  trades(series: Series, ids: TradesByIds, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Bars in time order, without void ones. */
  bars(
    series: Series,
    data: DataOfBars,
    range: TimeRange,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}
