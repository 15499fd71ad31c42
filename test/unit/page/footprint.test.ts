import { expect, test } from 'vitest';
import { imbalance } from '../../../src/page/chart/cells.ts';
import { axisText, sizeText } from '../../../src/page/chart/number-text.ts';
import { besideBin, binFor } from '../../../src/page/chart/price-bins.ts';

test.each([
  [1, 14, '20'],
  [1, 10, '10'],
  [0.5, 14, '10'],
  [0.003, 14, '0.05'],
  [0.00002, 14, '0.0005'],
  [100, 60, '10000'],
])('at %d a pixel, rows of %d pixels have bins of %s', (pricesPerPx, rowPx, bin) => {
  expect(binFor(pricesPerPx, rowPx)).toBe(bin);
});

test.each([
  ['10', '5', '20'],
  ['1', '0.5', '2'],
  ['0.2', '0.1', '0.5'],
  // Of an address that somebody wrote.
  ['3', '2', '5'],
  ['0.00000001', '0.00000001', '0.00000002'],
])('beside bins of %s are those of %s and of %s', (bin, finer, coarser) => {
  expect(besideBin(bin, 'finer')).toBe(finer);
  expect(besideBin(bin, 'coarser')).toBe(coarser);
});

test('a side is imbalanced against the other side one bin across', () => {
  const cell = { buy: 3, sell: 1 };
  const below = { buy: 0, sell: 1 };
  const above = { buy: 0.5, sell: 0 };
  expect(imbalance(cell, below, above)).toEqual({ buy: true, sell: false });
  expect(imbalance({ ...cell, sell: 1.5 }, { ...below, sell: 1.1 }, above)).toEqual({
    buy: false,
    sell: true,
  });
  expect(imbalance({ buy: 0, sell: 0 }, undefined, undefined)).toEqual({
    buy: false,
    sell: false,
  });
});

test.each([
  [0, '0'],
  [0.0004, '<.001'],
  [0.0041, '0.004'],
  [1.234, '1.23'],
  [12.34, '12.3'],
  [123.4, '123'],
  [1_234, '1.2k'],
  [12_345, '12k'],
  [1_234_567, '1.2M'],
])('the size %d in a cell', (size, text) => {
  expect(sizeText(size)).toBe(text);
});

test.each([
  [0, '0'],
  [44_179.55, '44179.6'],
  [123_456, '123.5k'],
  [-1_500_000, '-1.5M'],
  [0.00001234, '0.00001234'],
])('the value %d on an axis', (value, text) => {
  expect(axisText(value)).toBe(text);
});
