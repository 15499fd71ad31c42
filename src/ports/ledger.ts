import type { TimeRange } from '../domain/time/hour.ts';
import type { SliceRecord } from '../domain/proof/ledger.ts';
import type { Series } from '../domain/market.ts';

export type GapClass =
  | 'missing_ids'
  | 'retention'
  | 'halt'
  | 'invalid_rows'
  | 'raw_id_gap'
  | 'duplicate_id'
  | 'time_backwards'
  | 'pending_archive'
  | 'truncated_file'
  /** From files: the trade before or after the hour is in no available file. */
  | 'unknown_neighbour';

/** Something unproven, or an oddity, of one hour, with evidence. */
export interface Gap {
  readonly hourMs: number;
  readonly gapClass: GapClass;
  /** The half-open range of ids concerned. */
  readonly fromId: number;
  readonly toId: number;
  readonly evidence: string;
}

export interface SeenGap extends Gap {
  /** When it was first seen. */
  readonly seenAtMs: number;
}

/** What is written for one hour. */
export interface LedgerEntry {
  readonly record: SliceRecord;
  /** Gaps of this hour. */
  readonly gaps: readonly Gap[];
}

export interface CoverageTotals {
  readonly proven: number;
  readonly open: number;
  readonly gap: number;
  readonly rows: number;
}

/** Coverage of one series from its first to its last known hour. */
export interface SeriesCoverage extends Series, CoverageTotals, TimeRange {
  /** Hours in between without a ledger row. */
  readonly unknown: number;
  /** End of the newest proven hour; undefined when none is. */
  readonly provenToMs: number | undefined;
}

/** The record of what is proven. The store is the truth; Redis only has queued work. */
export interface Ledger {
  /** One hour's row, if any. Waits for acknowledged rows first. */
  record(series: Series, hourMs: number): Promise<SliceRecord | undefined>;
  records(series: Series, range: TimeRange): Promise<SliceRecord[]>;
  /** The last ledger row of an hour before an instant. */
  lastBefore(series: Series, timeMs: number): Promise<SliceRecord | undefined>;
  /** Removes `endedAtMs` from all hours before an instant: the symbol has traded again after them. */
  reopenBefore(series: Series, timeMs: number): Promise<void>;
  /**
   * Writes rows of one series and their gaps, all rows in one flush. Earlier gaps of these hours that are
   * not among `gaps` become resolved.
   * @param assertHeld rejects unless the leases of these hours are still held. With it, rows may wait for others and
   *   go with them, and it is called right before they are sent; without it, they are sent at once
   */
  write(
    entries: readonly LedgerEntry[],
    nowMs: number,
    assertHeld?: () => Promise<void>,
  ): Promise<void>;
  /** Writes gaps of hours without a row; their earlier awaited gaps become resolved. */
  note(series: Series, gaps: readonly Gap[], nowMs: number): Promise<void>;
  totals(series: Series, range: TimeRange): Promise<CoverageTotals>;
  openGaps(series: Series, range: TimeRange): Promise<SeenGap[]>;
  knows(series: Series): Promise<boolean>;
  overview(): Promise<SeriesCoverage[]>;
}

/** Permanent facts of a series. */
export interface SeriesFacts extends Series {
  /** The UTC midnight at which continuous CDV is 0; never changes. */
  readonly originMs: number;
  /** Set while the hourly schedule keeps the series complete, from this instant on. */
  readonly scheduledFromMs: number | undefined;
  /** Quote asset of the rule that schedules it; undefined when somebody has named the series. */
  readonly scheduledBy: string | undefined;
  /** COIN-M: value of one contract in quote currency, decimal text; never changes once known. */
  readonly contractSize: string | undefined;
  /** Counts the tables of trades that the series has had, from 1. */
  readonly generation: number;
}

export interface SeriesCatalogue {
  find(series: Series): Promise<SeriesFacts | undefined>;
  all(): Promise<SeriesFacts[]>;
  /** Sets the origin unless the series already has one; returns the facts in force. */
  pinOrigin(series: Series, originMs: number): Promise<SeriesFacts>;
  /** Sets the contract size of an existing series; once set, it stays. */
  pinContractSize(series: Series, contractSize: string): Promise<void>;
  /** @param by quote asset of the rule that schedules it */
  setSchedule(facts: SeriesFacts, fromMs: number | undefined, by?: string): Promise<void>;
}
