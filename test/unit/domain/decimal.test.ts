import { describe, expect, it } from 'vitest';
import {
  formatDecimal,
  formatDecimalShort,
  parseDecimal,
} from '../../../src/domain/trade/decimal.ts';

describe('parseDecimal', () => {
  it.each([
    ['1.5', 8, 150_000_000n],
    ['-1.5', 8, -150_000_000n],
    ['0.00000001', 8, 1n],
    ['-0', 8, 0n],
    ['42', 0, 42n],
    ['1.50000000000', 8, 150_000_000n],
    ['99999999999999999999.99999999', 8, 9_999_999_999_999_999_999_999_999_999n],
  ])('reads %s at scale %i', (text, scale, units) => {
    expect(parseDecimal(text, scale)).toBe(units);
  });

  it.each(['', ' 1', '1 ', '.5', '1e5', '+1', '1,5', 'NaN', '--1', '0x1', '1.2.3'])(
    'refuses %j',
    (text) => {
      expect(() => parseDecimal(text, 8)).toThrow(RangeError);
    },
  );

  it('refuses digits that it would lose', () => {
    expect(() => parseDecimal('0.000000001', 8)).toThrow('more than 8 decimal places');
  });
});

describe('formatDecimal', () => {
  it.each([
    [0n, 8, '0.00000000', '0'],
    [-1n, 8, '-0.00000001', '-0.00000001'],
    [150_000_000n, 8, '1.50000000', '1.5'],
    [-10_000_000_000n, 8, '-100.00000000', '-100'],
    [100n, 0, '100', '100'],
  ])('writes %s at scale %i', (units, scale, full, short) => {
    expect(formatDecimal(units, scale)).toBe(full);
    expect(formatDecimalShort(units, scale)).toBe(short);
  });
});
