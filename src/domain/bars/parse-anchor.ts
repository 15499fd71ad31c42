import type { Anchor } from './anchor.ts';
import { CdvaultError } from '../errors.ts';
import { parseInstant } from '../instant.ts';

/**
 * An anchor as text: `day`, `session:09:30@America/New_York`, `rolling:24`, an instant.
 * @param hasZone whether the system knows a time zone
 * @param option its name, for errors
 * @throws CdvaultError USAGE, BAD_TIME
 */
export function parseAnchor(
  text: string,
  hasZone: (zone: string) => boolean,
  option = '--anchor',
): Anchor {
  switch (text) {
    case 'from':
    case 'day':
    case 'week':
    case 'month':
    case 'total':
      return { kind: text };
  }
  const [, kind, rest = ''] = /^(session|rolling)(?::(.*))?$/.exec(text) ?? [];
  if (kind === 'session') return parseSession(option, text, hasZone);
  if (kind === 'rolling') return parseRolling(option, text, rest);
  return { kind: 'instant', atMs: parseInstant(option, text) };
}

function parseSession(option: string, text: string, hasZone: (zone: string) => boolean): Anchor {
  const [, hour, minute, zone = ''] = /^session:([01]\d|2[0-3]):([0-5]\d)@(.+)$/.exec(text) ?? [];
  if (hour === undefined) {
    throw new CdvaultError('USAGE', `${option} ${JSON.stringify(text)} is not a session`, {
      advice: 'Write it as session:09:30@America/New_York.',
    });
  }
  if (!hasZone(zone)) {
    throw new CdvaultError('USAGE', `unknown time zone ${JSON.stringify(zone)}`, {
      advice: 'Use a name from the IANA database: America/New_York, Europe/London, Asia/Tokyo.',
    });
  }
  return { kind: 'session', minuteOfDay: Number(hour) * 60 + Number(minute), zone };
}

function parseRolling(option: string, text: string, rest: string): Anchor {
  if (/^[1-9]\d{0,5}$/.test(rest)) return { kind: 'rolling', bars: Number(rest) };
  throw new CdvaultError('USAGE', `${option} ${JSON.stringify(text)} has no valid number of bars`, {
    advice: 'Write it as rolling:24.',
  });
}
