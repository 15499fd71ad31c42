import { expect, test } from 'vitest';
import { drawable, lastDay, limitsOf } from '../../../src/page/ranges.ts';

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

test.each([
  ['short enough', { fromMs: 0, toMs: 100 }, 50, { fromMs: 0, toMs: 100 }],
  ['too long: its end', { fromMs: 0, toMs: 1_000 }, undefined, { fromMs: 900, toMs: 1_000 }],
  ['too long: from before the anchor', { fromMs: 0, toMs: 1_000 }, 500, { fromMs: 490, toMs: 590 }],
  [
    'too long, with the anchor at its end',
    { fromMs: 0, toMs: 1_000 },
    950,
    { fromMs: 900, toMs: 1_000 },
  ],
])('what is drawn of a range, %s', (_, range, anchorMs, drawn) => {
  expect(drawable(range, 100, anchorMs)).toEqual(drawn);
});
