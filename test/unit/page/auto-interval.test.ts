import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import { INTERVALS } from '../../../src/domain/time/interval.ts';
import { autoInterval, chooseInterval } from '../../../src/page/auto-interval.ts';

const span = (ms: number) => ({ fromMs: 0, toMs: ms });

test.each([
  [HOUR_MS, 1200, '1m'],
  [DAY_MS, 1200, '5m'],
  [DAY_MS, 300, '30m'],
  [7 * DAY_MS, 1200, '1h'],
  [365 * DAY_MS, 1200, '1d'],
] as const)('%d ms on %d pixels', (ms, widthPx, interval) => {
  expect(autoInterval(span(ms), widthPx, INTERVALS)).toBe(interval);
});

test('only intervals that there are', () => {
  expect(autoInterval(span(365 * DAY_MS), 1200, ['1m', '1h'])).toBe('1h');
});

test('a small zoom keeps the interval, a large one changes it', () => {
  expect(autoInterval(span(DAY_MS), 1200, INTERVALS, '5m')).toBe('5m');
  expect(autoInterval(span(2 * DAY_MS), 1200, INTERVALS, '5m')).toBe('15m');
  expect(autoInterval(span(2 * HOUR_MS), 1200, INTERVALS, '5m')).toBe('1m');
});

test.each([
  ['2024-01-02T08:17Z', '1m'],
  ['2024-01-02T08:18Z', '3m'],
  ['2024-01-02T08:00Z', '5m'],
  // Another zone's 08:15 is a full quarter in UTC, too.
  ['2024-01-02T08:15-04:00', '5m'],
  ['day', '5m'],
  ['rolling:24', '5m'],
])(
  'with the anchor %s, auto takes an interval of which a bar begins there: %s',
  (anchor, chosen) => {
    const picture = { held: INTERVALS, widthPx: 1200, current: '5m' as const };
    expect(chooseInterval({ interval: 'auto', anchor }, span(DAY_MS), picture)).toBe(chosen);
  },
);
