/** Anchors as the page offers and names them. */

import { isAtAnchor } from '../time/level-start.ts';
import type { ChoiceGroup } from './element.ts';

const SESSIONS: readonly (readonly [anchor: string, name: string])[] = [
  ['session:09:30@America/New_York', 'New York 09:30'],
  ['session:08:30@America/Chicago', 'Chicago 08:30'],
  ['session:08:00@Europe/London', 'London 08:00'],
  ['session:09:00@Europe/Berlin', 'Frankfurt 09:00'],
  ['session:09:00@Asia/Tokyo', 'Tokyo 09:00'],
  ['session:09:30@Asia/Hong_Kong', 'Hong Kong 09:30'],
];

/** A choice that opens the fields for a session of one's own. */
export const OTHER_SESSION = 'session';
/** A choice that opens the fields for an instant. */
export const OTHER_TIME = 'time';

export const ANCHOR_CHOICES: readonly ChoiceGroup[] = [
  {
    choices: [
      ['visible', 'From left edge'],
      ['day', 'UTC day'],
      ['week', 'UTC week'],
      ['month', 'UTC month'],
      ['total', 'Continuous'],
      [OTHER_TIME, 'From a time…'],
    ],
  },
  { name: 'Session', choices: [...SESSIONS, [OTHER_SESSION, 'Other session…']] },
];

export const ZONES: readonly string[] = [
  'America/New_York',
  'America/Chicago',
  'Europe/London',
  'Europe/Berlin',
  'Asia/Dubai',
  'Asia/Hong_Kong',
  'Asia/Singapore',
  'Asia/Tokyo',
  'Australia/Sydney',
];

export const ZONE_CHOICES: readonly ChoiceGroup[] = [
  {
    choices: [
      ['UTC', 'UTC'],
      ['local', 'Local time'],
      ...ZONES.map((zone) => [zone, zoneName(zone)] as const),
    ],
  },
];

export function zoneName(zone: string): string {
  return (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');
}

/** What 0 means, in words. */
export function anchorText(anchor: string): string {
  switch (anchor) {
    case 'visible':
      return '0 at the left edge';
    case 'day':
      return '0 at UTC midnight';
    case 'week':
      return '0 on Monday, UTC midnight';
    case 'month':
      return '0 on the 1st, UTC midnight';
    case 'total':
      return "continuous from the series' start";
  }
  const [, time, zone] = /^session:(.*)@(.*)$/.exec(anchor) ?? [];
  return zone === undefined ? `0 at ${instantText(anchor)}` : `0 at ${time} ${zoneName(zone)}`;
}

/** `2024-01-01T10:00Z` as people write it. */
function instantText(anchor: string): string {
  const text = anchor.replace(/:00(?:\.000)?Z$/, (end) => (/:\d\d:\d\d/.test(anchor) ? 'Z' : end));
  return text.replace('T', ' ').replace(/Z$/, ' UTC');
}

/** From where the level of a bar counts when the hours after its anchor are not stored. */
export function lateStartText(anchor: string, levelFromMs: number): string | undefined {
  if (isAtAnchor(anchor, levelFromMs)) return undefined;
  const from = new Date(levelFromMs).toISOString().slice(0, 16).replace('T', ' ');
  return `counts from ${from} UTC, the first stored hour`;
}

/** How an anchor is called in the list of choices. */
export function anchorName(anchor: string): string {
  const [, time, zone] = /^session:(.*)@(.*)$/.exec(anchor) ?? [];
  return zone === undefined ? `From ${instantText(anchor)}` : `${zoneName(zone)} ${time}`;
}
