import { type Anchor, type ClockTime, resetsOver } from './anchor.ts';
import { type BarGrid, evenGrid, longestIntervalIn, sessionGrid } from './bar-grid.ts';
import { CdvaultError } from '../errors.ts';
import { DAY_MS, MINUTE_MS, type TimeRange } from '../time/hour.ts';
import type { Interval } from '../time/interval.ts';
import { countUpTo } from '../time/search.ts';

/** Which bars to show, and from where their levels count. */
export interface BarsRequest {
  readonly lengthMs: number;
  /** Bars that begin in this range are shown, each as a whole. */
  readonly range: TimeRange;
  readonly anchor: Anchor;
  /** The intervals that are stored, ascending; default: all. */
  readonly stored?: readonly Interval[];
}

/** How to compute the bars by adding up stored ones. */
export interface BarsPlan {
  readonly grid: BarGrid;
  /** The longest stored interval from which the bars can be added up. */
  readonly stored: Interval;
  /** The range of stored bars to read: all that are added up. */
  readonly read: TimeRange;
  /** The instant at which the level of the bar that starts at `startMs` is 0; not for day and total. */
  readonly levelStartOf: (startMs: number) => number;
}

/**
 * With a session anchor, bars start with the sessions. With other anchors, bars lie on the grid of their
 * length, and none may have an anchor inside it: the high and low of its parts can't be computed by
 * addition.
 * @throws CdvaultError USAGE with the nearest anchor that is possible
 */
export function planBars(request: BarsRequest, clockTime: ClockTime): BarsPlan {
  const { lengthMs, range, anchor } = request;
  if (anchor.kind === 'session') return planSessions(request, clockTime);
  const grid = evenGrid(lengthMs);
  const shown = wholeBars(grid, range);
  const resets = resetsOver(anchor, { ...range, endMs: shown.endMs }, clockTime);
  assertAnchorBefore(resets, range);
  for (const atMs of resets)
    if (atMs < shown.endMs && grid.startOf(atMs) !== atMs) throw straddled(atMs, lengthMs, anchor);
  const stored = longestIntervalIn([lengthMs], request.stored) ?? '1m';
  if (anchor.kind === 'rolling') {
    const reachMs = (anchor.bars - 1) * lengthMs;
    // No bar is older than the epoch.
    const read = { ...shown, startMs: Math.max(0, shown.startMs - reachMs) };
    return { grid, stored, read, levelStartOf: (startMs) => startMs - reachMs };
  }
  // Stored levels count from midnight; the series' midnight bases turn them into continuous ones.
  if (anchor.kind === 'day' || anchor.kind === 'total')
    return { grid, stored, read: shown, levelStartOf: (startMs) => startMs };
  return withResets(resets, { grid, stored, read: shown });
}

function planSessions(request: BarsRequest, clockTime: ClockTime): BarsPlan {
  const { lengthMs, range, anchor } = request;
  if (lengthMs > DAY_MS) {
    throw new CdvaultError('USAGE', 'a bar longer than a day would contain several sessions', {
      advice: 'Use --interval 1d (one bar per session) or shorter.',
    });
  }
  const sessions = resetsOver(anchor, range, clockTime);
  const stored = longestIntervalIn([lengthMs, ...sessions], request.stored);
  if (stored === undefined) throw new CdvaultError('INTERNAL', 'a session starts inside a minute');
  const grid = sessionGrid(lengthMs, sessions);
  return withResets(sessions, { grid, stored, read: wholeBars(grid, range) });
}

/** From the bar that holds the range's start to the end of the last one that begins in it. */
function wholeBars(grid: BarGrid, { startMs, endMs }: TimeRange): TimeRange {
  return { startMs: grid.startOf(startMs), endMs: grid.endOf(grid.startOf(endMs - 1)) };
}

function withResets(resets: readonly number[], plan: Omit<BarsPlan, 'levelStartOf'>): BarsPlan {
  const startMs = Math.min(plan.read.startMs, ...resets.slice(0, 1));
  return {
    ...plan,
    read: { ...plan.read, startMs },
    levelStartOf: (barMs) => resets[countUpTo(resets, barMs) - 1] ?? startMs,
  };
}

function assertAnchorBefore([first]: readonly number[], range: TimeRange): void {
  if (first === undefined || first <= range.startMs) return;
  throw new CdvaultError('USAGE', 'the anchor is after the start of the shown range', {
    advice: 'Set --anchor to a time at or before --from.',
  });
}

function straddled(atMs: number, lengthMs: number, anchor: Anchor): CdvaultError {
  const at = new Date(atMs).toISOString();
  // Without --anchor, levels count from --from.
  const name = anchor.kind === 'from' ? '--from' : 'the anchor';
  if (atMs % MINUTE_MS !== 0) {
    return new CdvaultError('USAGE', `${name} ${at} is not on a full minute`, {
      advice: `The nearest possible one is ${nearest(atMs, MINUTE_MS)}.`,
    });
  }
  const shorter = `use --interval ${longestIntervalIn([atMs]) ?? '1m'} or shorter`;
  const isChosen = anchor.kind === 'instant' || anchor.kind === 'from';
  return new CdvaultError(
    'USAGE',
    `a bar straddles ${name} ${at}, where levels start: the high and low of its two parts can't be computed from stored bars`,
    {
      advice: isChosen
        ? `The nearest possible one is ${nearest(atMs, lengthMs)}; or ${shorter}.`
        : `For this anchor ${shorter}.`,
    },
  );
}

function nearest(atMs: number, lengthMs: number): string {
  const grid = evenGrid(lengthMs);
  const before = grid.startOf(atMs);
  const after = grid.endOf(before);
  return new Date(atMs - before <= after - atMs ? before : after).toISOString();
}
