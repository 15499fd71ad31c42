import { expect, test } from 'vitest';
import type { BarsAnswer } from '../../../src/page/data/answers.ts';
import { pointsOf } from '../../../src/page/data/bar.ts';

const answer: BarsAnswer = {
  columns: {
    time: [300],
    end: [400],
    open: ['1'],
    high: ['1'],
    low: ['1'],
    close: ['1'],
    delta: ['1'],
    buyVolume: ['1'],
    sellVolume: ['0'],
    quoteDelta: ['0'],
    aggTrades: [1],
    trades: [1],
    priceOpen: [null],
    priceHigh: [null],
    priceLow: [null],
    priceClose: [null],
    firstId: [7],
    lastId: [7],
    levelFrom: [0],
    status: ['final'],
    levelMissing: [null],
  },
  // The last bar of a session is shorter.
  missing: { from: [0, 400], to: [300, 650] },
  unit: 'base',
  count: 1,
  next: null,
};

test('what is not stored has a place on the axis, and no bar', () => {
  const points = pointsOf(answer, 100, { fromMs: 150, toMs: 700 });
  expect(points.map(({ timeMs, endMs, bar }) => [timeMs, endMs, bar?.firstId])).toEqual([
    [200, 300, undefined],
    [300, 400, 7],
    [400, 500, undefined],
    [500, 600, undefined],
    [600, 650, undefined],
  ]);
  expect(points[1]?.bar?.price).toBeUndefined();
});
