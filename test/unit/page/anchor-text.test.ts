import { expect, test } from 'vitest';
import { ZoneClock } from '../../../src/page/time/zone-clock.ts';
import { anchorName, anchorText, lateStartText } from '../../../src/page/time/anchor-text.ts';

test.each([
  ['2025-06-03T12:17Z', 'UTC', 'From 2025-06-03 12:17 UTC', '0 at 2025-06-03 12:17 UTC'],
  [
    '2025-06-03T12:17Z',
    'America/New_York',
    'From 2025-06-03 08:17 New York',
    '0 at 2025-06-03 08:17 New York',
  ],
  ['2025-06-03T08:17:00-04:00', 'UTC', 'From 2025-06-03 12:17 UTC', '0 at 2025-06-03 12:17 UTC'],
  ['rolling:24', 'America/New_York', 'Rolling 24 bars', 'rolling 24 bars'],
  ['session:09:30@America/New_York', 'Asia/Tokyo', 'New York 09:30', '0 at 09:30 New York'],
])('the anchor %s on a page of %s is called %s', (anchor, zone, name, hint) => {
  const clock = new ZoneClock(zone);
  expect(anchorName(anchor, clock)).toBe(name);
  expect(anchorText(anchor, clock)).toBe(hint);
});

test('from when a level counts is told on the clocks of the page', () => {
  const text = lateStartText('day', Date.UTC(2025, 5, 3, 5), new ZoneClock('America/New_York'));
  expect(text).toBe('counts from 2025-06-03 01:00 New York, the first stored hour');
});
