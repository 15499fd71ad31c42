import type { TradeBlock } from '../domain/trade/trade-block.ts';

/** Facts about a file besides its rows. */
export interface ArchiveFacts {
  readonly bytes: number;
  /** Hex, of the file as it is on disk. */
  readonly sha256: string;
  /** Result of the comparison with the exchange's .CHECKSUM file next to it. */
  readonly checksum: 'equal' | 'differs' | 'absent';
  /** For example `8 columns, ms`; undefined when the file has no row. */
  readonly format: string | undefined;
}

/** Reads the exchange's archive files, zip or csv, from a disk. */
export interface ArchiveReader {
  /**
   * Streams a file once.
   * @param onRows called with the rows in the file's order; a block is valid until the function returns
   * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW
   */
  read(path: string, onRows: (rows: TradeBlock) => void): Promise<ArchiveFacts>;
}
