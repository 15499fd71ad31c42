import { expect, test } from 'vitest';
import { isAtAnchor } from '../../../src/page/time/level-start.ts';

const NEW_YORK = 'session:09:30@America/New_York';

test.each([
  ['day', '2025-06-03T00:00Z', true],
  ['day', '2025-06-03T05:00Z', false],
  ['week', '2025-06-02T00:00Z', true],
  ['week', '2025-06-03T00:00Z', false],
  ['month', '2025-06-01T00:00Z', true],
  ['month', '2025-06-03T00:00Z', false],
  [NEW_YORK, '2025-06-03T13:30Z', true],
  [NEW_YORK, '2025-01-03T14:30Z', true],
  [NEW_YORK, '2025-06-03T00:00Z', false],
  // The clocks of New York skip 02:30 on that day.
  ['session:02:30@America/New_York', '2025-03-09T07:30Z', true],
  ['2025-06-03T04:00Z', '2025-06-03T04:00Z', true],
  ['2025-06-03T04:00Z', '2025-06-03T05:00Z', false],
  ['total', '2025-06-03T05:00Z', true],
  ['visible', '2025-06-03T05:00Z', true],
])('the anchor %s is at %s: %s', (anchor, time, is) => {
  expect(isAtAnchor(anchor, Date.parse(time))).toBe(is);
});
