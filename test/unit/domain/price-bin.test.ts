import { expect, test } from 'vitest';
import { binE8For } from '../../../src/domain/bars/price-bin.ts';

test.each([
  [0n, 20, 1n],
  [20n, 20, 1n],
  [39n, 20, 1n],
  [40n, 20, 2n],
  [100_000_000n, 20, 5_000_000n],
  [123_456_789_012n, 20, 10_000_000_000n],
  [180_000_000_00n, 20, 10_000_000_00n],
  [220_000_000_00n, 20, 20_000_000_00n],
])('a span of %d in some %d bins has bins of %d', (spanE8, count, binE8) => {
  expect(binE8For(spanE8, count)).toBe(binE8);
});
