import type { ExportedFile } from '../../domain/proof/export.ts';
import type { HourContent } from '../../domain/proof/fingerprint.ts';

/** A day that has been written and verified. */
export interface ExportedDay {
  readonly file: ExportedFile;
  readonly hours: readonly HourContent[];
  readonly barsCompared: number;
}
