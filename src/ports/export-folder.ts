import type { ExportedFile, ExportManifest } from '../domain/proof/export.ts';
import type { StoredTrades } from '../domain/trade/stored-trades.ts';
import type { ExactBar } from './bar-store.ts';

/**
 * The folder of one export of one series. No file is visible under its name before all are complete.
 * All methods throw CdvaultError EXPORT_UNWRITABLE.
 */
export interface ExportFolder {
  /** Writes one day's file. It gets its final name when the export is published. */
  write(
    dayMs: number,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<Pick<ExportedFile, 'path' | 'bytes' | 'sha256'>>;
  /** Reads a written file of trades back, in the file's order; batches are valid until the next one. */
  trades(dayMs: number): AsyncIterable<StoredTrades>;
  /**
   * Reads a written file of bars back.
   * @returns the columns that differ from `bars`; `ts` alone when there are more or fewer bars
   */
  differingBars(dayMs: number, bars: readonly ExactBar[]): Promise<readonly string[]>;
  /** Gives all finished files their final names, then writes the manifest. */
  publish(manifest: ExportManifest): Promise<void>;
  /** Deletes what is not published. */
  discard(): Promise<void>;
}
