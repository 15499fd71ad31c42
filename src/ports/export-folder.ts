import type { AggTrade } from '../domain/trade/agg-trade.ts';
import type { ExportedFile, ExportManifest } from '../domain/proof/export.ts';
import type { ExactBar } from './bar-store.ts';

/** One day's file in the making; rows are written as they come, in pieces of bounded size. */
export interface ExportFile<Row> {
  add(rows: readonly Row[]): Promise<void>;
  /** Ends the file; it has its name once the export is published. */
  finish(): Promise<Pick<ExportedFile, 'path' | 'bytes' | 'sha256'>>;
}

/**
 * The folder of one export of one series. Nobody sees a file of it before all are whole.
 * Everything throws CdvaultError EXPORT_UNWRITABLE.
 */
export interface ExportFolder {
  openTrades(dayMs: number): Promise<ExportFile<AggTrade>>;
  openBars(dayMs: number): Promise<ExportFile<ExactBar>>;
  /** Gives all finished files their names, and then writes the manifest. */
  publish(manifest: ExportManifest): Promise<void>;
  /** Takes away what is not published. */
  discard(): Promise<void>;
}
