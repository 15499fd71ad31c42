import type { Fingerprint, HourContent } from './fingerprint.ts';
import type { TimeRange } from '../time/hour.ts';
import type { Interval } from '../time/interval.ts';
import type { Neighbour } from './ledger.ts';
import type { Series } from '../market.ts';

/** Written to every manifest; docs/export.md describes the format. */
export const EXPORT_FORMAT = 'cdvault-export-1';

/** What is exported of a series. */
export type ExportedData =
  | { readonly what: 'trades' }
  | { readonly what: 'bars'; readonly interval: Interval };

/** `range`: whole hours, and whole bars where bars are longer. */
export type ExportRequest = Series & ExportedData & { readonly range: TimeRange };

/** One day's file. */
export interface ExportedFile {
  readonly dayMs: number;
  /** Relative to the manifest's folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Hex, of the file as it is on disk. */
  readonly sha256: string;
  readonly rows: number;
  /** undefined in a file without trades. */
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
  /** Exact sums of valid trades by taker side, decimal text of scale 8; contracts on COIN-M. */
  readonly buyVolume: string;
  readonly sellVolume: string;
}

/** What was exported, and what was proven about it during the export; no earlier proof is reused. */
export type ExportManifest = ExportRequest & {
  /** Oldest first, one for each UTC day that the range touches. */
  readonly files: readonly ExportedFile[];
  /** Of the stored trades of each hour, hashed while they were exported. */
  readonly fingerprint: Fingerprint;
  /** The trades just before the first hour and just after the last one; undefined when there is none. */
  readonly before: Neighbour | undefined;
  readonly after: Neighbour | undefined;
  /** Number of bars, over all intervals, that were compared with a second computation; undefined for trades. */
  readonly barsCompared: number | undefined;
  readonly codeVersion: string;
  readonly createdAtMs: number;
};

/** A day that has been written and verified. */
export interface ExportedDay {
  readonly file: ExportedFile;
  readonly hours: readonly HourContent[];
  readonly barsCompared: number;
}
