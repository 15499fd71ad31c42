import type { Anchor } from '../../domain/bars/anchor.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import { parseInstant } from './times.ts';
import { isoMinute } from '../print/format.ts';

/** The values of `--anchor`, for `--help`. */
export const ANCHOR_HELP = `
Anchors (where the level starts at 0):
  from                the start of the range shown (default)
  day, week, month    UTC midnight of every day, Monday or first of a month
  total               UTC midnight of the first day ever requested
  2024-01-01T10:00Z   an instant at or before --from
  session:09:30@America/New_York
                      every day at this local time; bars are aligned to it
  rolling:24          no start: the level is the sum of the last 24 bars' deltas`;

/**
 * @param hasZone whether the system knows a time zone
 * @throws CdvaultError USAGE, BAD_TIME
 */
export function parseAnchor(text: string, hasZone: (zone: string) => boolean): Anchor {
  switch (text) {
    case 'from':
    case 'day':
    case 'week':
    case 'month':
    case 'total':
      return { kind: text };
  }
  const [, kind, rest = ''] = /^(session|rolling)(?::(.*))?$/.exec(text) ?? [];
  if (kind === 'session') return parseSession(text, rest, hasZone);
  if (kind === 'rolling') return parseRolling(text, rest);
  return { kind: 'instant', atMs: parseInstant('--anchor', text) };
}

function parseSession(text: string, rest: string, hasZone: (zone: string) => boolean): Anchor {
  const [, hour, minute, zone = ''] = /^([01]\d|2[0-3]):([0-5]\d)@(.+)$/.exec(rest) ?? [];
  if (hour === undefined) {
    throw new CdvaultError('USAGE', `--anchor ${JSON.stringify(text)} is not a session`, {
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

function parseRolling(text: string, rest: string): Anchor {
  if (/^[1-9]\d{0,5}$/.test(rest)) return { kind: 'rolling', bars: Number(rest) };
  throw new CdvaultError('USAGE', `--anchor ${JSON.stringify(text)} has no valid number of bars`, {
    advice: 'Write it as rolling:24.',
  });
}

const WORDS = {
  from: 'from 0 before the first bar',
  day: 'from 0 at each UTC midnight',
  week: 'from 0 at UTC midnight of each Monday',
  month: 'from 0 at UTC midnight of the first day of each month',
  total: 'from 0 at the origin of the series',
} as const;

/** Describes an anchor in the line above a table. */
export function anchorWords(anchor: Anchor): string {
  if (anchor.kind === 'instant') return `from 0 at ${isoMinute(anchor.atMs)}`;
  if (anchor.kind === 'rolling') return `sum of the deltas of the last ${anchor.bars} bars`;
  if (anchor.kind !== 'session') return WORDS[anchor.kind];
  const time = new Date(anchor.minuteOfDay * MINUTE_MS).toISOString().slice(11, 16);
  return `from 0 each day at ${time} ${anchor.zone}`;
}
