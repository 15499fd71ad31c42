import {
  DAY_MS,
  floorTo,
  HOUR_MS,
  MINUTE_MS,
  WEEK_MS,
  WEEK_ORIGIN_MS,
} from '../../domain/time/hour.ts';
import { utcTime } from './utc-time.ts';
import { ZoneClock } from './zone-clock.ts';

/**
 * Whether a level that counts from an instant counts from its anchor. If not, it counts from the first stored
 * hour after the anchor. Continuous levels and those from the left edge have no anchor that could be missed.
 */
export function isAtAnchor(anchor: string, levelFromMs: number): boolean {
  switch (anchor) {
    case 'visible':
    case 'total':
      return true;
    case 'day':
      return floorTo(levelFromMs, DAY_MS) === levelFromMs;
    case 'week':
      return floorTo(levelFromMs - WEEK_ORIGIN_MS, WEEK_MS) === levelFromMs - WEEK_ORIGIN_MS;
    case 'month':
      return (
        floorTo(levelFromMs, DAY_MS) === levelFromMs && new Date(levelFromMs).getUTCDate() === 1
      );
  }
  const [, hour, minute, zone] = /^session:(\d\d):(\d\d)@(.+)$/.exec(anchor) ?? [];
  if (zone !== undefined)
    return isAtClock(levelFromMs, zone, (Number(hour) * 60 + Number(minute)) * MINUTE_MS);
  const instantMs = instantOf(anchor);
  return instantMs === undefined || instantMs === levelFromMs;
}

/** The instant that an anchor is; undefined for anchors of another kind. No level is counted before it. */
export function instantOf(anchor: string): number | undefined {
  return /^\d{4}-/.test(anchor) ? utcTime(anchor) : undefined;
}

function isAtClock(timeMs: number, zone: string, timeOfDayMs: number): boolean {
  const clock = clockOf(zone);
  // A time that clocks skip begins as much later as they were before.
  const walls = [clock.wallMs(timeMs), clock.wallMs(timeMs - HOUR_MS) + HOUR_MS];
  return walls.some((wallMs) => wallMs - floorTo(wallMs, DAY_MS) === timeOfDayMs);
}

const clocks = new Map<string, ZoneClock>();

/** The legend asks at each move of the cursor, and a clock takes long to make. */
function clockOf(zone: string): ZoneClock {
  const clock = clocks.get(zone) ?? new ZoneClock(zone);
  clocks.set(zone, clock);
  return clock;
}
