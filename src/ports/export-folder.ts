import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { ExportedFile, ExportManifest } from '../domain/proof/export.ts';
import type { ExactBar } from './bar-store.ts';

/** One day's file while it is written, in pieces of bounded size. */
export interface ExportFile<Row> {
  add(rows: readonly Row[]): Promise<void>;
  /** Ends the file. It gets its final name when the export is published. */
  finish(): Promise<Pick<ExportedFile, 'path' | 'bytes' | 'sha256'>>;
}

/**
 * The folder of one export of one series. No file is visible under its name before all are complete.
 * All methods throw CdvaultError EXPORT_UNWRITABLE.
 */
export interface ExportFolder {
  openTrades(dayMs: number): Promise<ExportFile<AggTrade>>;
  openBars(dayMs: number): Promise<ExportFile<ExactBar>>;
  /** Gives all finished files their final names, then writes the manifest. */
  publish(manifest: ExportManifest): Promise<void>;
  /** Deletes what is not published. */
  discard(): Promise<void>;
}
