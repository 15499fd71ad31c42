import { CdvaultError } from '../errors.ts';
import {
  DAY_MS,
  floorTo,
  HOUR_MS,
  MINUTE_MS,
  type TimeRange,
  WEEK_MS,
  WEEK_ORIGIN_MS,
} from '../time/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../time/interval.ts';
import { countUpTo } from '../time/search.ts';

/** How time is divided into bars `[start, end)`. */
export interface BarGrid {
  /** The start of the bar that holds an instant. */
  startOf(timeMs: number): number;
  endOf(startMs: number): number;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: WEEK_MS,
};

/**
 * The length of a bar in ms: `15m`, `2h`, `3d`, `1w`. It must divide the day or be whole days;
 * otherwise bars would start at different times on different days.
 * @throws CdvaultError USAGE
 */
export function parseBarLength(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,3})([mhdw])$/.exec(text) ?? [];
  const lengthMs = Number(count) * (UNIT_MS[unit] ?? 0);
  if (lengthMs > 0 && (DAY_MS % lengthMs === 0 || lengthMs % DAY_MS === 0)) return lengthMs;
  const why = lengthMs > 0 ? 'neither divides the day nor is whole days' : 'is not a bar length';
  throw new CdvaultError('USAGE', `--interval ${JSON.stringify(text)} ${why}`, {
    advice: `Use ${INTERVALS.join(', ')}, or a multiple such as 2h, 12h, 3d or 1w.`,
  });
}

/** Bars of one length, counted from the epoch; lengths of whole weeks start on Mondays. */
export function evenGrid(lengthMs: number): BarGrid {
  const originMs = lengthMs % WEEK_MS === 0 ? WEEK_ORIGIN_MS : 0;
  return {
    startOf: (timeMs) => floorTo(timeMs - originMs, lengthMs) + originMs,
    endOf: (startMs) => startMs + lengthMs,
  };
}

/**
 * Bars that start with each session. A session's last bar ends with the session, and a bar of a day is
 * the whole session, even if it has 23 or 25 hours.
 * @param sessions starts, ascending, from before the first bar to after the last one
 */
export function sessionGrid(lengthMs: number, sessions: readonly number[]): BarGrid {
  const stepMs = lengthMs < DAY_MS ? lengthMs : Infinity;
  return {
    startOf(timeMs) {
      const sessionMs = sessions[countUpTo(sessions, timeMs) - 1] ?? timeMs;
      return stepMs === Infinity ? sessionMs : sessionMs + floorTo(timeMs - sessionMs, stepMs);
    },
    endOf: (startMs) =>
      Math.min(startMs + stepMs, sessions[countUpTo(sessions, startMs)] ?? Infinity),
  };
}

/** Starts of the bars that begin in a range. */
export function* startsIn(grid: BarGrid, { startMs, endMs }: TimeRange): Generator<number> {
  for (let at = grid.startOf(startMs); at < endMs; at = grid.endOf(at)) if (at >= startMs) yield at;
}

/**
 * The longest stored interval that divides all of `times`: lengths, or instants counted from the epoch.
 * @param stored ascending
 */
export function longestIntervalIn(
  times: readonly number[],
  stored: readonly Interval[] = INTERVALS,
): Interval | undefined {
  return stored.findLast((interval) => times.every((ms) => ms % INTERVAL_MS[interval] === 0));
}
