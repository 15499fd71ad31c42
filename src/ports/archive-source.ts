import type { Series } from '../domain/market.ts';
import type { TradeBlock } from '../domain/trade-block.ts';

/** A day's file as it was downloaded. */
export interface ArchiveDay {
  readonly sha256: string;
  readonly bytes: number;
  /** Rows in the file's order, in pieces; may be read once. */
  rows(): AsyncIterable<TradeBlock>;
}

/** The exchange's daily files. */
export interface ArchiveSource {
  /**
   * Downloads one UTC day and checks it against its checksum; the file is gone once `use` has settled.
   * @returns what `use` returns; undefined when the exchange has no such file (yet)
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, EXCHANGE_UNREACHABLE, EXCHANGE_UNAVAILABLE
   */
  withDay<T>(
    series: Series,
    dayMs: number,
    signal: AbortSignal,
    use: (day: ArchiveDay) => Promise<T>,
  ): Promise<T | undefined>;
}
