import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';
import {
  isWithinRest,
  mayComeLate,
  type SourcePolicy,
  suitsArchive,
} from '../../../src/domain/plan/plan.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const TODAY = Date.UTC(2026, 10, 23);
const SPOT: SourcePolicy = { source: 'auto', historyMs: Infinity, nowMs: NOW };
const FUTURES: SourcePolicy = { ...SPOT, historyMs: 48 * HOUR_MS };

function day(daysAgo: number, hours: number, firstHour = 0) {
  const dayMs = TODAY - daysAgo * DAY_MS;
  const starts = Array.from({ length: hours }, (_, hour) => dayMs + (firstHour + hour) * HOUR_MS);
  return { dayMs, hours: starts };
}

describe('a day is taken from its file', () => {
  test.each<[string, boolean, ReturnType<typeof day>, SourcePolicy]>([
    ['on spot, closed for a day, six hours', true, day(2, 6), SPOT],
    ['on spot, closed for a day, five hours', false, day(2, 5), SPOT],
    ['on spot, closed last midnight', false, day(1, 24), SPOT],
    ['on futures, closed last midnight', true, day(1, 24), FUTURES],
    ['on futures, two hours that REST has', false, day(1, 2), FUTURES],
    ['on futures, two hours that REST no longer has', true, day(3, 2), FUTURES],
    ['on futures, not closed', false, day(0, 12), FUTURES],
    ['from files alone, a single hour', true, day(9, 1), { ...SPOT, source: 'archive' }],
    ['from a folder, a single hour', true, day(0, 1), { ...SPOT, source: 'dir:/x' }],
    ['by REST alone', false, day(9, 24), { ...FUTURES, source: 'rest' }],
    ['when only bars are due', false, day(9, 0), SPOT],
  ])('%s: %s', (_name, expected, work, policy) => {
    expect(suitsArchive(work, policy)).toBe(expected);
  });

  test('but not when stored rows are in doubt', () => {
    expect(suitsArchive({ ...day(9, 24), refetch: new Set() }, SPOT)).toBe(false);
  });
});

test('REST reaches back as far as its history, less one hour to make the requests', () => {
  expect(isWithinRest(NOW - 47 * HOUR_MS, FUTURES)).toBe(true);
  expect(isWithinRest(NOW - 47 * HOUR_MS - 1, FUTURES)).toBe(false);
  expect(isWithinRest(0, SPOT)).toBe(true);
});

test('a file is waited for until two weeks after its day has closed', () => {
  expect(mayComeLate(TODAY - 14 * DAY_MS, NOW)).toBe(true);
  expect(mayComeLate(TODAY - 15 * DAY_MS, NOW)).toBe(false);
});
