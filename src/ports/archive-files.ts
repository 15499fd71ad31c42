import type { TimeRange } from '../domain/time/hour.ts';
import type { Series } from '../domain/market.ts';

/**
 * `whole`: its ids follow one another and reach the day's ends as far as that can be told. `truncated`:
 * it ends before the day does. `holes`: ids are missing in it. `empty`: no trade of the day is in it.
 * `refused`: it is not to be believed, and why. `absent`: there is no file (yet). `unreachable`: nobody
 * answered.
 */
export type FileVerdict =
  | 'whole'
  | 'truncated'
  | 'holes'
  | 'empty'
  | 'refused'
  | 'absent'
  | 'unreachable';

/** What one file was worth for one day. */
export interface ArchiveFileRecord extends Series {
  readonly dayMs: number;
  readonly name: string;
  /** undefined, as are the next two, of a file that could not be read at all. */
  readonly etag: string | undefined;
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
  readonly verdict: FileVerdict;
  /** A sentence for people; empty when there is nothing to say. */
  readonly evidence: string;
  readonly seenAtMs: number;
}

/** The record of the files that were read. */
export interface ArchiveFiles {
  /** Replaces what was known of the same file and day. */
  write(record: ArchiveFileRecord): Promise<void>;
  /** Of the days that a range touches, by day, then by when they were seen. */
  records(series: Series, range: TimeRange): Promise<ArchiveFileRecord[]>;
}
