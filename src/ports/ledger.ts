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
  /** From files: the trade before or behind is in none that was there. */
  | 'unknown_neighbour';

/** What is not proven, or worth knowing, about one hour, with evidence. */
export interface Gap {
  readonly hourMs: number;
  readonly gapClass: GapClass;
  /** Half-open range of ids that it is about. */
  readonly fromId: number;
  readonly toId: number;
  readonly evidence: string;
}

export interface SeenGap extends Gap {
  /** When it was first seen. */
  readonly seenAtMs: number;
}

/** What is written of one hour. */
export interface LedgerEntry {
  readonly record: SliceRecord;
  /** Of this hour. */
  readonly gaps: readonly Gap[];
}

export interface CoverageTotals {
  readonly proven: number;
  readonly open: number;
  readonly gap: number;
  readonly rows: number;
}

/** What is known of one series from its first to its last hour. */
export interface SeriesCoverage extends Series, CoverageTotals, TimeRange {
  /** Hours in between without a ledger row. */
  readonly unknown: number;
  /** End of the newest proven hour; undefined when none is. */
  readonly provenToMs: number | undefined;
}

/** The record of what is proven. The store is the truth; Redis only holds work. */
export interface Ledger {
  /** One hour's row, if any; waits for acknowledged rows first. */
  record(series: Series, hourMs: number): Promise<SliceRecord | undefined>;
  records(series: Series, range: TimeRange): Promise<SliceRecord[]>;
  /** The last hour on record before an instant. */
  lastBefore(series: Series, timeMs: number): Promise<SliceRecord | undefined>;
  /** Takes back `endedAtMs` from all hours before an instant: the symbol trades again behind them. */
  reopenBefore(series: Series, timeMs: number): Promise<void>;
  /**
   * Writes rows of one series and their gaps, all rows in one flush; earlier gaps of these hours that
   * are not among them become resolved.
   */
  write(entries: readonly LedgerEntry[], nowMs: number): Promise<void>;
  /** Writes gaps of hours without a row; what they have waited for before becomes resolved. */
  note(series: Series, gaps: readonly Gap[], nowMs: number): Promise<void>;
  totals(series: Series, range: TimeRange): Promise<CoverageTotals>;
  openGaps(series: Series, range: TimeRange): Promise<SeenGap[]>;
  knows(series: Series): Promise<boolean>;
  overview(): Promise<SeriesCoverage[]>;
}

/** Facts of a series that outlive every run. */
export interface SeriesFacts extends Series {
  /** The UTC midnight at which continuous CDV is 0, pinned once. */
  readonly originMs: number;
  /** Set while the hourly schedule keeps the series complete from this instant on. */
  readonly scheduledFromMs: number | undefined;
  /** COIN-M: worth of one contract in quote currency, decimal text; pinned once it is known. */
  readonly contractSize: string | undefined;
}

export interface SeriesCatalogue {
  find(series: Series): Promise<SeriesFacts | undefined>;
  all(): Promise<SeriesFacts[]>;
  /** Pins the origin unless it is pinned already; returns the facts in force. */
  pinOrigin(series: Series, originMs: number): Promise<SeriesFacts>;
  /** Of a series that is there; once pinned, it stays. */
  pinContractSize(series: Series, contractSize: string): Promise<void>;
  setSchedule(facts: SeriesFacts, fromMs: number | undefined): Promise<void>;
}
