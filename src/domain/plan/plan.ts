import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from '../time/hour.ts';
import type { Verdict } from '../proof/ledger.ts';
import { isFilesOnly, type SourceChoice } from './source-choice.ts';

/** What the ledger and the bars say about one day; input of the planner. */
export interface DayCoverage {
  readonly dayMs: number;
  /** Hours with a ledger row. */
  readonly verdicts: ReadonlyMap<number, Verdict>;
  /** Whether the day's bars were computed from exactly these hours. */
  readonly barsFresh: boolean;
  /** Unproven hours that the schedule skips for now: see isResting(). */
  readonly resting?: ReadonlySet<number>;
}

/** One symbol-day of work: hours to fetch, then bars. Without hours only the bars are due. */
export interface DayWork {
  readonly dayMs: number;
  readonly hours: readonly number[];
  /** Those of `hours` whose stored rows are in doubt: fetched and compared even if the ledger says proven. */
  readonly refetch?: ReadonlySet<number>;
  /** Set when the day's archive file is tried first. */
  readonly fromArchive?: SourceChoice;
  /** Days of the same stretch are taken from their files by one job: see stretchesOf(). */
  readonly stretch?: string;
  /** The sides of this day at which the requested range ends. */
  readonly edges?: readonly DayEdge[];
}

export type DayEdge = 'before' | 'after';

/**
 * Wanted hours − proven hours, by day; and days whose bars are older than their hours. `gap` and
 * `open` hours are due again: the missing or expected trades may be available now.
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

/** Shorter than the schedule's period (an hour), so that the next tick does not miss it by seconds. */
const SHORTEST_REST_MS = HOUR_MS / 2;
const LONGEST_REST_MS = 7 * DAY_MS;

/**
 * Whether the schedule skips an hour that no source could provide. The wait is the time between the
 * first and the last failed attempt, so waits double; at least half an hour, at most a week.
 */
export function isResting(
  { seenAtMs, askedAtMs }: { readonly seenAtMs: number; readonly askedAtMs: number },
  nowMs: number,
): boolean {
  const restMs = Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, askedAtMs - seenAtMs));
  return nowMs - askedAtMs < restMs;
}

/** A file is a download of the whole day: fewer hours than this cost less by REST. */
const ARCHIVE_HOURS = 6;

/**
 * With `auto`, where REST serves all history, a day's file is tried only this long after the day has
 * ended. The exchange's own clients wait as long.
 */
const PACKED_MS = DAY_MS;

/** The longest delay of a file reported in the exchange's issue tracker is eight days. */
export const LATEST_MS = 14 * DAY_MS;

/** A fetch also asks for the trade before the hour, and it starts some time after it is planned. */
const HORIZON_MARGIN_MS = HOUR_MS;

/** What decides the source of a day. */
export interface SourcePolicy {
  readonly source: SourceChoice;
  /** How far back REST serves trades; Infinity if all of them. */
  readonly historyMs: number;
  readonly nowMs: number;
  /** Whether the exchange no longer trades the symbol, so that REST may not serve it; default: no. */
  readonly mayBeForgotten?: boolean;
}

export function isWithinRest(
  hourMs: number,
  { historyMs, nowMs }: Pick<SourcePolicy, 'historyMs' | 'nowMs'>,
): boolean {
  return hourMs - HORIZON_MARGIN_MS >= nowMs - historyMs;
}

/** Whether the archive file is the cheaper source of a day's work, or the only one. */
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

/** Whether a file that does not exist yet may still be published. */
export function mayComeLate(dayMs: number, nowMs: number): boolean {
  return nowMs - (dayMs + DAY_MS) < LATEST_MS;
}

/**
 * Gap classes of hours that no source can provide at present. `pending_archive`: the file is not
 * published yet. `retention`: there is no file, and none is expected. `truncated_file`: the file exists
 * and does not prove the hour.
 */
export const AWAITED = ['pending_archive', 'retention', 'truncated_file'] as const;
export type AwaitedClass = (typeof AWAITED)[number];
