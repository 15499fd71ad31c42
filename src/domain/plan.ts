import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from './hour.ts';
import type { Verdict } from './ledger.ts';

/** What the ledger and the bars know of one day, for planning. */
export interface DayCoverage {
  readonly dayMs: number;
  /** Hours with a ledger row. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  /** Whether the day's bars were computed from exactly these hours. */
  readonly barsFresh: boolean;
}

/** One symbol-day of work: hours to fetch, then bars; no hours means that only the bars are due. */
export interface DayWork {
  readonly dayMs: number;
  readonly hours: readonly number[];
  /** Of these, hours whose stored rows are in doubt: fetched and compared whatever the ledger says. */
  readonly refetch?: ReadonlySet<number>;
  /** The exchange's file of the day is asked first. */
  readonly fromArchive?: boolean;
}

/**
 * Wanted hours − proven hours, by day; and days whose bars are older than their hours. `gap` and
 * `open` hours are due again: what was missing or still to come may be there now.
 * @param range whole hours
 */
export function planWork(range: TimeRange, coverage: readonly DayCoverage[]): DayWork[] {
  const byDay = new Map(coverage.map((day) => [day.dayMs, day]));
  const work: DayWork[] = [];
  for (const dayMs of daysOf(range)) {
    const day = byDay.get(dayMs);
    const hours = hoursDue(dayMs, range, day?.verdicts);
    if (hours.length > 0 || day?.barsFresh === false) work.push({ dayMs, hours });
  }
  return work;
}

function hoursDue(
  dayMs: number,
  range: TimeRange,
  verdicts: ReadonlyMap<number, Verdict> | undefined,
): number[] {
  const hours: number[] = [];
  const endMs = Math.min(range.endMs, dayMs + DAY_MS);
  for (
    let hourMs = Math.max(dayMs, floorTo(range.startMs, HOUR_MS));
    hourMs < endMs;
    hourMs += HOUR_MS
  ) {
    if (verdicts?.get(hourMs) !== 'proven') hours.push(hourMs);
  }
  return hours;
}

/** Files are packed the day after, some late; the exchange's own clients wait this long before they ask. */
const PACKED_MS = 2 * DAY_MS;

/** A file costs a download of a whole day: fewer hours than these are cheaper by REST. */
const ARCHIVE_HOURS = 6;

/** Whether a day's work is better taken from the exchange's archive file. */
export function suitsArchive({ dayMs, hours, refetch }: DayWork, nowMs: number): boolean {
  return refetch === undefined && hours.length >= ARCHIVE_HOURS && dayMs + PACKED_MS <= nowMs;
}
