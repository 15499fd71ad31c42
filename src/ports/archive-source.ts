import type { ForeignRow } from '../domain/proof/foreign-rows.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Neighbour } from '../domain/proof/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** A day's trades in the file that contains them: the daily or the monthly file. */
export interface ArchiveDay {
  /** `BTCUSDT-aggTrades-2024-01-01.zip` */
  readonly name: string;
  /** The exchange's ETag of this version of the file; undefined when the file was not downloaded. */
  readonly etag: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
  /** A remark about a file that is used nevertheless. */
  readonly note?: string | undefined;
  /**
   * The trades just before the first row and just after the last one, if the file's publisher names
   * them. They are not among the rows.
   */
  readonly before?: Neighbour;
  readonly after?: Neighbour;
  /**
   * The day's rows in the file's order, in blocks; each is valid until the next one is requested. A second
   * call reads the file again. Rows with a wrong date are left out.
   * @throws CdvaultError ARCHIVE_BAD_FILE also when the file does not match its checksum, before any row
   */
  rows(): AsyncIterable<TradeBlock>;
  /** Rows that the last rows() has left out so far and that are dated in the day or lie among its trades. */
  foreign(): readonly ForeignRow[];
}

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string | undefined;
}

/** The files that exist, by the start of their day or month (epoch ms). */
export interface ArchiveListing {
  readonly days: ReadonlyMap<number, ListedFile>;
  readonly months: ReadonlyMap<number, ListedFile>;
}

/** The exchange's archive files of aggregate trades, daily and monthly. */
export interface ArchiveSource {
  /**
   * Calls `use` with one UTC day: from its daily file, or else from the monthly file once the month is
   * over. The file may be deleted once `use` has settled.
   * @returns what `use` returns; undefined when there is no such file (yet)
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, ARCHIVE_UNREACHABLE
   */
  withDay<T>(
    series: Series,
    dayMs: number,
    signal: AbortSignal,
    use: (day: ArchiveDay) => Promise<T>,
  ): Promise<T | undefined>;

  /**
   * Lists the files of a range without downloading them.
   * @returns undefined when the source has no listing
   * @throws CdvaultError ARCHIVE_UNREACHABLE
   */
  list(series: Series, range: TimeRange, signal: AbortSignal): Promise<ArchiveListing | undefined>;

  /**
   * Looks up one file by its name, as it is now.
   * @returns undefined when there is no such file
   * @throws CdvaultError ARCHIVE_UNREACHABLE
   */
  find(series: Series, name: string, signal: AbortSignal): Promise<ListedFile | undefined>;

  /**
   * Whether there is a file of a later day or month, or, in the file of the day's own month, a trade
   * after the given one.
   * @returns undefined when the source has no listing
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, ARCHIVE_UNREACHABLE
   */
  hasLater(
    series: Series,
    dayMs: number,
    aggId: number,
    signal: AbortSignal,
  ): Promise<boolean | undefined>;
}
