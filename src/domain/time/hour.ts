/** UTC hours and half-open ranges `[startMs, endMs)` of epoch milliseconds. */

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;
export const WEEK_MS = 7 * DAY_MS;
/** Weeks start on Mondays. Multiples of a week count from the Monday of the epoch's week, as in QuestDB. */
export const WEEK_ORIGIN_MS = Date.UTC(1969, 11, 29);

/**
 * An hour is fetched only when its end is at least this old: the exchange's database may lag behind its
 * matching engine, and a row that appears late would be missed.
 */
export const CLOSING_MS = 2 * MINUTE_MS;

/** Half-open: `startMs` is in the range, `endMs` is not. */
export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

export function floorTo(timeMs: number, stepMs: number): number {
  return Math.floor(timeMs / stepMs) * stepMs;
}

/** The smallest range of whole hours that contains `range`. */
export function widenToHours(range: TimeRange): TimeRange {
  return { startMs: floorTo(range.startMs, HOUR_MS), endMs: -floorTo(-range.endMs, HOUR_MS) };
}

/** The end of the last hour that may be fetched at `nowMs`. */
export function lastClosedHourEnd(nowMs: number): number {
  return floorTo(nowMs - CLOSING_MS, HOUR_MS);
}

/** Starts of the hours of a range of whole hours, oldest first. */
export function* hoursOf(range: TimeRange): Generator<number> {
  for (let hourMs = range.startMs; hourMs < range.endMs; hourMs += HOUR_MS) yield hourMs;
}

/** Starts of the UTC days that a range touches, oldest first. */
export function* daysOf(range: TimeRange): Generator<number> {
  for (let dayMs = floorTo(range.startMs, DAY_MS); dayMs < range.endMs; dayMs += DAY_MS)
    yield dayMs;
}

export function isoHour(hourMs: number): string {
  return `${new Date(hourMs).toISOString().slice(0, 13)}Z`;
}

export function isoDay(dayMs: number): string {
  return new Date(dayMs).toISOString().slice(0, 10);
}

/** 2024010110: for job ids, which must not contain a colon. */
export function compactHour(hourMs: number): string {
  return new Date(hourMs).toISOString().slice(0, 13).replace(/[-T]/g, '');
}

/** 20240101 */
export function compactDay(dayMs: number): string {
  return compactHour(dayMs).slice(0, 8);
}

/** The hour `[hourMs, hourMs + 1 h)` in microseconds, half-open. */
export function hourWindowUs(hourMs: number): { readonly startUs: number; readonly endUs: number } {
  return { startUs: hourMs * 1000, endUs: (hourMs + HOUR_MS) * 1000 };
}

/** The UTC day `[dayMs, dayMs + 24 h)` in microseconds, half-open. */
export function dayWindowUs(dayMs: number): { readonly startUs: number; readonly endUs: number } {
  return { startUs: dayMs * 1000, endUs: (dayMs + DAY_MS) * 1000 };
}

/** From the first of these hours to the end of the last; starts in any order, at least one. */
export function spanOfHours(hours: readonly number[]): TimeRange {
  return { startMs: Math.min(...hours), endMs: Math.max(...hours) + HOUR_MS };
}

/**
 * What remains of a range, oldest first.
 * @param taken apart from each other, oldest first
 */
export function rangesOutside(range: TimeRange, taken: readonly TimeRange[]): TimeRange[] {
  const left: TimeRange[] = [];
  let { startMs } = range;
  for (const { startMs: takenMs, endMs } of taken) {
    if (takenMs > startMs) left.push({ startMs, endMs: Math.min(takenMs, range.endMs) });
    startMs = Math.max(startMs, endMs);
  }
  left.push({ startMs, endMs: range.endMs });
  return left.filter((one) => one.endMs > one.startMs);
}
