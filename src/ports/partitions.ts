import type { Series } from '../domain/market.ts';
import type { TimeRange } from '../domain/time/hour.ts';

/** The rows of a day, a week, a month or a year of a table, as the store keeps them on disk. */
export interface Partition extends TimeRange {
  /** `2024-01-03`, `2024-W01`, `2024-01` or `2024`. */
  readonly name: string;
  /** All stored rows, also those that views do not show. */
  readonly rows: number;
  readonly bytes: number;
  readonly isParquet: boolean;
  /** The newest of its table: rows are appended to it. */
  readonly isNewest: boolean;
}

/** A conversion to Parquet. */
export interface Compaction extends Pick<Partition, 'startMs' | 'rows'> {
  readonly bytesBefore: number;
  /** undefined until the rows were compared after it. */
  readonly bytesAfter: number | undefined;
  readonly compactedAtMs: number;
  /** Of the rows before it; undefined for trades, which the ledger knows. */
  readonly digest: string | undefined;
}

/** The partitions of tables that are found by their `Owner`. */
export interface Partitions<Owner> {
  /** Oldest first, with all acknowledged rows. */
  list(owner: Owner): Promise<readonly Partition[]>;
  /** Resolves with the partition as it is then. One conversion runs at a time in the whole store. */
  toParquet(owner: Owner, name: string, signal: AbortSignal): Promise<Partition>;
  toNative(owner: Owner, name: string, signal: AbortSignal): Promise<Partition>;
  /** Recorded conversions by the start of their partition. */
  compactions(owner: Owner): Promise<ReadonlyMap<number, Compaction>>;
  record(owner: Owner, compaction: Compaction): Promise<void>;
}

/** Days of a series that are in the ledger or have bars. */
export interface KnownDays extends Series {
  /** Whole days, oldest first, apart from each other. */
  readonly ranges: readonly TimeRange[];
}

/** What the ledger and the stamps say about a day, over all series. */
export interface DayMark {
  /** Differs after each fetch of the day, and from the beginning of each build of its bars. */
  readonly mark: string;
  /** 0 when there is no such row. */
  readonly fetchedAtMs: number;
  readonly builtAtMs: number;
  /** Whether an hour waits for a file that is not published yet. */
  readonly isAwaited: boolean;
  /** Whether a build of its bars has begun and not ended. */
  readonly isUnfinished: boolean;
}

/** The tables of bars, which all series share. */
export interface BarPartitions extends Partitions<string> {
  readonly tables: readonly string[];
  /** By day. @param range whole days */
  marks(range: TimeRange): Promise<ReadonlyMap<number, DayMark>>;
  /** @param range whole days */
  knownDays(range: TimeRange): Promise<KnownDays[]>;
  /**
   * Hashes of every row in every column. They do not depend on the order of the rows, and the rows
   * are not held in memory.
   */
  digests(table: string, range: TimeRange, signal: AbortSignal): Promise<PartitionDigests>;
}

/** Hashes of rows: of all of them, and of those of each day. */
export interface PartitionDigests {
  readonly all: string;
  readonly byDay: ReadonlyMap<number, string>;
}

/** The partitions of a series' trades. */
export interface TradePartitions extends Partitions<Series> {
  /** Drops all rows of a partition, for good. */
  drop(series: Series, name: string, signal: AbortSignal): Promise<void>;
}

export interface StorePartitions {
  readonly trades: TradePartitions;
  readonly bars: BarPartitions;
}
