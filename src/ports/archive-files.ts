import type { TimeRange } from '../domain/time/hour.ts';
import type { Series } from '../domain/market.ts';

/**
 * `whole`: the ids are consecutive and reach both ends of the day, as far as known. `truncated`: the file
 * ends before the day does. `holes`: ids are missing in it. `empty`: it has no trade of the day.
 * `refused`: the file is faulty; the evidence says why. `absent`: there is no file (yet). `unreachable`:
 * the host did not answer.
 */
export type FileVerdict =
  | 'whole'
  | 'truncated'
  | 'holes'
  | 'empty'
  | 'refused'
  | 'absent'
  | 'unreachable';

/** How one file was classified for one day. */
export interface ArchiveFileRecord extends Series {
  readonly dayMs: number;
  readonly name: string;
  /** undefined, like the next two, when the file could not be read at all. */
  readonly etag: string | undefined;
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
  readonly verdict: FileVerdict;
  /** An explanation as text; may be empty. */
  readonly evidence: string;
  readonly seenAtMs: number;
}

/** The stored record of the files that were read. */
export interface ArchiveFiles {
  /** Replaces the records of the same files and days, in one statement. */
  write(records: readonly ArchiveFileRecord[]): Promise<void>;
  /** Records of the days that a range touches, ordered by day, then by `seenAtMs`. */
  records(series: Series, range: TimeRange): Promise<ArchiveFileRecord[]>;
}
