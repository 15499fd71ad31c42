import { expect, test } from 'vitest';
import { lastDay, limitsOf } from '../../../src/page/ranges.ts';

const STORED = { from: 1_030, to: 2_010 };

test.each([
  ['inside of what is stored', { fromMs: 1_500, toMs: 1_600 }, { fromMs: 1_000, toMs: 2_100 }],
  ['before it', { fromMs: 520, toMs: 600 }, { fromMs: 500, toMs: 2_100 }],
  ['after it, up to now', { fromMs: 2_500, toMs: 9_000 }, { fromMs: 1_000, toMs: 3_000 }],
])('the axis of a range %s', (_, asked, limits) => {
  expect(limitsOf(STORED, { stepMs: 100, asked, nowMs: 3_000 })).toEqual(limits);
});

test('the last day is no longer than what is stored', () => {
  expect(lastDay(STORED)).toEqual({ fromMs: 1_030, toMs: 2_010 });
  expect(lastDay({ from: 0, to: 86_400_001 })).toEqual({ fromMs: 1, toMs: 86_400_001 });
});
