import { expect, test } from 'vitest';
import { restartsOf } from '../../../src/page/data/restart-times.ts';
import { type Point, pointsOf } from '../../../src/page/data/bar.ts';
import type { BarsAnswer } from '../../../src/page/data/answers.ts';

test('levels start again where bars count from another time, stored or not', () => {
  // The bar of 300 is not stored: the level of the next one counts from there.
  expect(restartsOf(points([100, 200, 400], [0, 200, 300]))).toEqual([200, 300]);
  expect(restartsOf(points([100, 200], [100, 100]))).toEqual([100]);
  expect(restartsOf([])).toEqual([]);
});

function points(time: readonly number[], levelFrom: readonly number[]): Point[] {
  const all = <T>(value: T) => time.map(() => value);
  const zero = all('0.00000000');
  const answer: BarsAnswer = {
    columns: {
      time,
      levelFrom,
      end: time.map((at) => at + 100),
      open: zero,
      high: zero,
      low: zero,
      close: zero,
      delta: zero,
      buyVolume: zero,
      sellVolume: zero,
      quoteDelta: zero,
      status: all('final'),
      levelMissing: all(0),
      aggTrades: all(0),
      trades: all(0),
      priceOpen: all(null),
      priceHigh: all(null),
      priceLow: all(null),
      priceClose: all(null),
      firstId: all(null),
      lastId: all(null),
    },
    count: time.length,
    next: null,
    unit: 'base',
    missing: { from: [], to: [] },
  };
  return pointsOf(answer, 100, { fromMs: 0, toMs: 1_000 });
}
