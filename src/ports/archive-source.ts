import type { ForeignRow } from '../domain/proof/foreign-rows.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Neighbour } from '../domain/proof/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** A day's trades in the file that holds them: its daily file, or that of its month. */
export interface ArchiveDay {
  /** `BTCUSDT-aggTrades-2024-01-01.zip` */
  readonly name: string;
  /** What the exchange calls this version of the file; undefined of a file that was not downloaded. */
  readonly etag: string | undefined;
  readonly sha256: string;
  readonly bytes: number;
  /** What is to be said of the file though it is taken. */
  readonly note?: string | undefined;
  /** Trades that are in no row, just before the first and just behind the last, where the file's publisher names them. */
  readonly before?: Neighbour;
  readonly after?: Neighbour;
  /**
   * The day's rows in the file's order, in pieces, each good until the next one is asked for; may be read
   * once. Rows with a wrong date are left out.
   * @throws CdvaultError ARCHIVE_BAD_FILE also when the file is not that of its checksum, before any row
   */
  rows(): AsyncIterable<TradeBlock>;
  /** Rows that `rows` has left out so far, as far as they are dated in the day or lie among its trades. */
  foreign(): readonly ForeignRow[];
}

export interface ListedFile {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string | undefined;
}

/** Files that there are, by the start of their day or month. */
export interface ArchiveListing {
  readonly days: ReadonlyMap<number, ListedFile>;
  readonly months: ReadonlyMap<number, ListedFile>;
}

/** The exchange's files of aggregate trades, daily and monthly. */
export interface ArchiveSource {
  /**
   * Hands out one UTC day: from its daily file, else from the file of its month once that is over. The
   * file may be gone once `use` has settled.
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
   * What there is of a range without downloading it.
   * @returns undefined when the exchange does not say
   * @throws CdvaultError ARCHIVE_UNREACHABLE
   */
  list(series: Series, range: TimeRange, signal: AbortSignal): Promise<ArchiveListing | undefined>;

  /**
   * One file as it is now, by its name.
   * @returns undefined when there is no such file
   * @throws CdvaultError ARCHIVE_UNREACHABLE
   */
  find(series: Series, name: string, signal: AbortSignal): Promise<ListedFile | undefined>;

  /**
   * Whether there is a file of a later day or month, or in the file of the day's own month a trade
   * behind one of the day.
   * @returns undefined when nobody says what files there are
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, ARCHIVE_UNREACHABLE
   */
  hasLater(
    series: Series,
    dayMs: number,
    aggId: number,
    signal: AbortSignal,
  ): Promise<boolean | undefined>;
}
