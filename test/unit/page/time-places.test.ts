import { expect, test } from 'vitest';
import { TimePlaces } from '../../../src/page/chart/time-places.ts';

/** The third bar is cut short, as the last one of a session. */
const places = new TimePlaces(
  [
    { timeMs: 1000, endMs: 1100, bar: undefined },
    { timeMs: 1100, endMs: 1200, bar: undefined },
    { timeMs: 1200, endMs: 1240, bar: undefined },
    { timeMs: 1240, endMs: 1340, bar: undefined },
  ],
  100,
);

test.each([
  [1000, -0.5],
  [1050, 0],
  [1100, 0.5],
  [1220, 2],
  [1240, 2.5],
  [1340, 3.5],
  [900, -1.5],
  [1540, 5.5],
])('the time %d is at place %d', (timeMs, place) => {
  expect(places.placeOf(timeMs)).toBe(place);
  expect(places.timeAt(place)).toBe(timeMs);
});
