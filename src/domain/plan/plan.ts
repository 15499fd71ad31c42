import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from '../time/hour.ts';
import type { Verdict } from '../proof/ledger.ts';
import { isFilesOnly, type SourceChoice } from './source-choice.ts';

/** What the ledger and the bars know of one day, for planning. */
export interface DayCoverage {
  readonly dayMs: number;
  /** Hours with a ledger row. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  /** Whether the day's bars were computed from exactly these hours. */
  readonly barsFresh: boolean;
  /** Hours that are not asked for now, though they are not proven: see isResting(). */
  readonly resting?: ReadonlySet<number>;
}

/** One symbol-day of work: hours to fetch, then bars; no hours means that only the bars are due. */
export interface DayWork {
  readonly dayMs: number;
  readonly hours: readonly number[];
  /** Of these, hours whose stored rows are in doubt: fetched and compared whatever the ledger says. */
  readonly refetch?: ReadonlySet<number>;
  /** Set when the exchange's file of the day is asked first. */
  readonly fromArchive?: SourceChoice;
  /** Sides on which the wanted range ends with this day. */
  readonly edges?: readonly DayEdge[];
}

export type DayEdge = 'before' | 'after';

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
    const hours = hoursDue(dayMs, range, day);
    if (hours.length > 0 || day?.barsFresh === false) work.push({ dayMs, hours });
  }
  return work;
}

function hoursDue(dayMs: number, range: TimeRange, day: DayCoverage | undefined): number[] {
  const hours: number[] = [];
  const endMs = Math.min(range.endMs, dayMs + DAY_MS);
  for (
    let hourMs = Math.max(dayMs, floorTo(range.startMs, HOUR_MS));
    hourMs < endMs;
    hourMs += HOUR_MS
  ) {
    const isDue = day?.verdicts.get(hourMs) !== 'proven' && day?.resting?.has(hourMs) !== true;
    if (isDue) hours.push(hourMs);
  }
  return hours;
}

/** The first wait is shorter than the schedule's period, so that it does not skip one by seconds. */
const SHORTEST_REST_MS = HOUR_MS / 2;
const LONGEST_REST_MS = 7 * DAY_MS;

/**
 * Whether the schedule leaves an hour alone that was asked for in vain: for as long as it had been
 * known in vain when it was last asked for, so that the waits double, up to a week.
 */
export function isResting(
  { seenAtMs, askedAtMs }: { readonly seenAtMs: number; readonly askedAtMs: number },
  nowMs: number,
): boolean {
  const restMs = Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, askedAtMs - seenAtMs));
  return nowMs - askedAtMs < restMs;
}

/** A file costs a download of a whole day: fewer hours than these are cheaper by REST. */
const ARCHIVE_HOURS = 6;

/** Where REST has all, the file of a day is given this long to be there: the exchange's own clients wait so too. */
const PACKED_MS = DAY_MS;

/** The longest that a file has been late, by the exchange's own issues, is eight days. */
export const LATEST_MS = 14 * DAY_MS;

/** An hour is asked for together with the trade before it, and not at once. */
const HORIZON_MARGIN_MS = HOUR_MS;

/** What decides where a day is taken from. */
export interface SourcePolicy {
  readonly source: SourceChoice;
  /** How far back REST goes. */
  readonly historyMs: number;
  readonly nowMs: number;
  /** Whether the exchange no longer trades the symbol, so that REST may have forgotten it; default: no. */
  readonly mayBeForgotten?: boolean;
}

export function isWithinRest(
  hourMs: number,
  { historyMs, nowMs }: Pick<SourcePolicy, 'historyMs' | 'nowMs'>,
): boolean {
  return hourMs - HORIZON_MARGIN_MS >= nowMs - historyMs;
}

/** Whether a day's work is better taken from the exchange's file, or can be had from nowhere else. */
export function suitsArchive({ dayMs, hours, refetch }: DayWork, policy: SourcePolicy): boolean {
  if (hours.length === 0 || refetch !== undefined || policy.source === 'rest') return false;
  if (isFilesOnly(policy.source)) return true;
  const closedForMs = policy.nowMs - (dayMs + DAY_MS);
  if (policy.historyMs === Infinity)
    return (
      (hours.length >= ARCHIVE_HOURS || policy.mayBeForgotten === true) && closedForMs >= PACKED_MS
    );
  if (closedForMs < 0) return false;
  return hours.length >= ARCHIVE_HOURS || hours.some((hourMs) => !isWithinRest(hourMs, policy));
}

/** Whether a file that is not there may still come. */
export function mayComeLate(dayMs: number, nowMs: number): boolean {
  return nowMs - (dayMs + DAY_MS) < LATEST_MS;
}

/**
 * Hours that were asked for and that nobody has now: their file is not there yet; it is not there and
 * will not come; it is there and does not prove them.
 */
export const AWAITED = ['pending_archive', 'retention', 'truncated_file'] as const;
export type AwaitedClass = (typeof AWAITED)[number];
