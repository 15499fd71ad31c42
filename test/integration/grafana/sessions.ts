import { DAY_MS, floorTo } from '../../../src/domain/time/hour.ts';

/** Start of the session that an instant lies in, by the platform's time zones. */
export function beginOf(timeMs: number, zone: string, start: string): number {
  const [hours = 0, minutes = 0] = start.split(':').map(Number);
  const intoDayMs = (hours * 60 + minutes) * 60_000;
  const wallMs = timeMs + offsetMs(timeMs, zone);
  const beginWallMs = floorTo(wallMs - intoDayMs, DAY_MS) + intoDayMs;
  return utcOf(beginWallMs, zone);
}

/** The instant of a wall clock time that the zone's clocks show exactly once. */
function utcOf(wallMs: number, zone: string): number {
  const guess = wallMs - offsetMs(wallMs, zone);
  return wallMs - offsetMs(guess, zone);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetMs(timeMs: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const shape = { dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...shape });
    formats.set(zone, format);
  }
  const wall = Date.parse(`${format.format(timeMs).replace(' ', 'T')}Z`);
  return wall - floorTo(timeMs, 1000);
}
