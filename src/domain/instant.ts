import { CdvaultError } from './errors.ts';
import { HOUR_MS } from './time/hour.ts';

export interface ParsedTime {
  readonly timeMs: number;
  /** Whether the text names no time zone, and was read as UTC. */
  readonly isZoneAssumed: boolean;
}

/**
 * The instant that an option gives, in epoch ms.
 * @throws CdvaultError BAD_TIME
 */
export function parseInstant(option: string, text: string): number {
  return parseTime(option, text).timeMs;
}

const TIME =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T\s](\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,9}))?)?)?(?:\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?))?)?)?$/i;

/**
 * A time of the command line or of a request: an ISO instant, a date or a month, in UTC unless it says otherwise.
 * @param option its name, for errors
 * @throws CdvaultError BAD_TIME
 */
export function parseTime(option: string, text: string): ParsedTime {
  const match = TIME.exec(text.trim());
  if (match === null) throw badTime(option, text);
  const [
    ,
    year = '',
    month = '',
    day = '01',
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    zone,
  ] = match;
  const wallMs = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // Date.UTC rolls 2024-02-30 over into March, so the result must print as what was typed.
  const typed = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  if (new Date(wallMs).toISOString().slice(0, 19) !== typed)
    throw badTime(option, text, 'no such date or time');
  if (/[1-9]/.test(fraction.slice(3)))
    throw badTime(option, text, 'times finer than a millisecond are not supported');
  const timeMs =
    wallMs + Number(fraction.slice(0, 3).padEnd(3, '0')) - zoneOffsetMs(option, text, zone);
  return { timeMs, isZoneAssumed: zone === undefined };
}

function zoneOffsetMs(option: string, text: string, zone: string | undefined): number {
  const [, sign, hours = '', minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0;
  // Offsets in use reach from -12:00 to +14:00.
  if (Number(hours) > 14 || Number(minutes) > 59) throw badTime(option, text, 'no such UTC offset');
  const offsetMs = Number(hours) * HOUR_MS + Number(minutes) * 60_000;
  return sign === '-' ? -offsetMs : offsetMs;
}

function badTime(option: string, text: string, why = 'not a valid time'): CdvaultError {
  return new CdvaultError('BAD_TIME', `${option} ${JSON.stringify(text)}: ${why}`);
}
