import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';

/** A day or a month of a series' trades, as the store keeps it on disk. */
export interface TradePartition extends TimeRange {
  /** `2024-01-03` or `2024-01`. */
  readonly name: string;
  /** All stored rows, tombstones included. */
  readonly rows: number;
  readonly bytes: number;
  readonly isParquet: boolean;
  /** The newest of the series: rows are appended to it. */
  readonly isNewest: boolean;
}

/** A conversion to Parquet. */
export interface Compaction extends Pick<TradePartition, 'startMs' | 'rows'> {
  readonly bytesBefore: number;
  /** undefined until the trades were compared after it. */
  readonly bytesAfter: number | undefined;
  readonly compactedAtMs: number;
}

export interface TradePartitions {
  /** Oldest first, with all acknowledged rows. */
  list(series: Series): Promise<readonly TradePartition[]>;
  /** Resolves with the partition as it is then. One conversion runs at a time in the whole store. */
  toParquet(series: Series, name: string, signal: AbortSignal): Promise<TradePartition>;
  toNative(series: Series, name: string, signal: AbortSignal): Promise<TradePartition>;
  /** Recorded conversions by the start of their partition. */
  compactions(series: Series): Promise<ReadonlyMap<number, Compaction>>;
  record(series: Series, compaction: Compaction): Promise<void>;
}
