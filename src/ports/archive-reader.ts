import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** What a file is besides its rows. */
export interface ArchiveFacts {
  readonly bytes: number;
  /** Hex, of the file as it lies there. */
  readonly sha256: string;
  /** Against the exchange's own .CHECKSUM beside it. */
  readonly checksum: 'equal' | 'differs' | 'absent';
  /** `8 columns, ms` and the like; undefined when it holds no row. */
  readonly format: string | undefined;
}

/** Reads the exchange's archive files, zip or csv, from a disk. */
export interface ArchiveReader {
  /**
   * Streams a file once.
   * @param onRows rows as the file has them, in its order; a piece is good until the function returns
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW
   */
  read(path: string, onRows: (rows: TradeBlock) => void): Promise<ArchiveFacts>;
}
