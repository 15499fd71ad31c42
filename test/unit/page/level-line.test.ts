import { expect, test } from 'vitest';
import { levelLine } from '../../../src/page/chart/level-line.ts';

test('a line breaks where a bar is missing and where levels start again', () => {
  const bars = [
    { close: '1.00000000', delta: '1.00000000' },
    { close: '0.50000000', delta: '-0.50000000' },
    undefined,
    { close: '0.50000000', delta: '0.00000000' },
    // Levels start again: it closes at its own delta.
    { close: '-2.00000000', delta: '-2.00000000' },
  ];
  const points = bars.map((_, at) => ({
    timeMs: at * 1000,
    endMs: (at + 1) * 1000,
    bar: undefined,
  }));
  const byTime = new Map(bars.flatMap((bar, at) => (bar === undefined ? [] : [[at * 1000, bar]])));
  expect(levelLine(points, byTime)).toEqual([
    { time: 0, value: 1 },
    { time: 1, value: 0.5, color: '#00000000' },
    { time: 2 },
    { time: 3, value: 0.5, color: '#00000000' },
    { time: 4, value: -2 },
  ]);
});

test('a line of rolling levels goes on although each level begins at another bar', () => {
  const closes = ['1.00000000', '3.00000000', '2.50000000'];
  const points = closes.map((_, at) => ({ timeMs: at * 1000, endMs: 0, bar: undefined }));
  const bars = new Map(closes.map((close, at) => [at * 1000, { close, delta: '0.10000000' }]));
  expect(levelLine(points, bars, true).filter((point) => 'color' in point)).toEqual([]);
  expect(levelLine(points, bars).filter((point) => 'color' in point)).toHaveLength(2);
});
