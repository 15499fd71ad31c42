import { DAY_MS, floorTo, type TimeRange, WEEK_ORIGIN_MS, WEEK_MS } from '../time/hour.ts';

/**
 * Where a level is 0. `from`: at the start of the shown range. `day`: at each UTC midnight. `week`: at
 * midnight on Mondays. `month`: at midnight on the first of the month. `session`: at a time of day in a
 * time zone. `instant`: at that instant. `total`: at the series' pinned origin. `rolling`: at the start
 * of the bar `bars` − 1 bars before, so that a level is the sum of the deltas of the last `bars` bars.
 */
export type Anchor =
  | { readonly kind: 'from' }
  | { readonly kind: 'total' }
  | { readonly kind: 'day' | 'week' | 'month' }
  | { readonly kind: 'instant'; readonly atMs: number }
  | { readonly kind: 'session'; readonly minuteOfDay: number; readonly zone: string }
  | { readonly kind: 'rolling'; readonly bars: number };

/**
 * The instant, in epoch ms, at which the clocks of a zone show a minute of a date. `dateMs` is the UTC
 * midnight of the date.
 */
export type ClockTime = (zone: string, dateMs: number, minuteOfDay: number) => number;

/** No zone's date is more than a day away from that of UTC; one more day covers every time of day. */
const ZONE_REACH_MS = 2 * DAY_MS;

/**
 * The instants at which a level is reset to 0, in order: from the last one at or before the range's
 * start to the first one at or after its end, so that they divide the range. `from` and `instant` give
 * one instant; `total` and `rolling` give none, because their levels are never reset.
 */
export function resetsOver(anchor: Anchor, range: TimeRange, clockTime: ClockTime): number[] {
  if (anchor.kind === 'total' || anchor.kind === 'rolling') return [];
  if (anchor.kind === 'from') return [range.startMs];
  if (anchor.kind === 'instant') return [anchor.atMs];
  return covering(recurring(anchor, range.startMs, clockTime), range);
}

/** Endless; the first instant is at or before `fromMs`. */
function recurring(
  anchor: Extract<Anchor, { kind: 'day' | 'week' | 'month' | 'session' }>,
  fromMs: number,
  clockTime: ClockTime,
): Generator<number> {
  if (anchor.kind === 'session') return sessions(anchor, fromMs, clockTime);
  if (anchor.kind === 'month') return months(fromMs);
  return anchor.kind === 'week' ? every(WEEK_MS, WEEK_ORIGIN_MS, fromMs) : every(DAY_MS, 0, fromMs);
}

function* every(stepMs: number, originMs: number, fromMs: number): Generator<number> {
  for (let atMs = floorTo(fromMs - originMs, stepMs) + originMs; ; atMs += stepMs) yield atMs;
}

function* months(fromMs: number): Generator<number> {
  const from = new Date(fromMs);
  for (let month = from.getUTCMonth(); ; month += 1) yield Date.UTC(from.getUTCFullYear(), month);
}

function* sessions(
  { zone, minuteOfDay }: Extract<Anchor, { kind: 'session' }>,
  fromMs: number,
  clockTime: ClockTime,
): Generator<number> {
  for (const dateMs of every(DAY_MS, 0, fromMs - ZONE_REACH_MS))
    yield clockTime(zone, dateMs, minuteOfDay);
}

/** @param instants ascending and endless; the first is at or before the range's start */
function covering(instants: Iterable<number>, { startMs, endMs }: TimeRange): number[] {
  const found: number[] = [];
  for (const atMs of instants) {
    if (atMs <= startMs) found.length = 0;
    found.push(atMs);
    if (atMs >= endMs) break;
  }
  return found;
}
