/** Anchors and time zones that the page offers. */

import { zoneName } from '../time/anchor-text.ts';
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
