import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalLine, isInvalid, nativeTimeUnit } from '../../../src/domain/trade/agg-trade.ts';
import { contentHasher } from '../../../src/domain/trade/content-hash.ts';
import { invalidTradeOf, tradeOf } from '../../support/trades.ts';

describe('the time unit of an hour', () => {
  const lastOf2024 = Date.UTC(2024, 11, 31, 23);
  const firstOf2025 = Date.UTC(2025, 0, 1);

  it('is microseconds for spot from 2025-01-01T00:00Z on, to the hour', () => {
    expect(nativeTimeUnit('binance_spot', lastOf2024)).toBe('ms');
    expect(nativeTimeUnit('binance_spot', firstOf2025)).toBe('us');
  });

  it('stays milliseconds for futures', () => {
    expect(nativeTimeUnit('binance_um', firstOf2025)).toBe('ms');
    expect(nativeTimeUnit('binance_cm', firstOf2025)).toBe('ms');
  });
});

describe('isInvalid', () => {
  it('finds rows that the exchange marked, and tombstones', () => {
    expect(isInvalid(invalidTradeOf(7, 0))).toBe(true);
    expect(isInvalid(tradeOf(7, 0, { firstId: -1, lastId: -1 }))).toBe(true);
    expect(isInvalid(tradeOf(7, 0, { price: '0' }))).toBe(true);
    expect(isInvalid(tradeOf(7, 0, { qty: '0.00000000' }))).toBe(true);
  });

  it('keeps the smallest quantity and raw id 0', () => {
    expect(isInvalid(tradeOf(0, 0, { qty: '0.00000001', firstId: 0, lastId: 0 }))).toBe(false);
  });
});

describe('canonicalLine', () => {
  it.each([
    ['42283.58000000', '4228358000000'],
    ['0.00100000', '100000'],
    ['0.00000001', '1'],
    ['0.00000000', '0'],
    ['542.0', '54200000000'],
    ['7', '700000000'],
    ['10.5', '1050000000'],
    ['123456789012.00000000', '12345678901200000000'],
  ])('writes %s as %s', (price, units) => {
    expect(canonicalLine(tradeOf(1, 5, { price }))).toBe(`1,${units},100000000,2,3,5000,0\n`);
  });

  it('distinguishes the sides, and the signs of raw ids', () => {
    expect(canonicalLine(tradeOf(1, 0, { isBuyerMaker: true, firstId: -1, lastId: -1 }))).toBe(
      '1,4200000000000,100000000,-1,-1,0,1\n',
    );
  });
});

describe('contentHasher', () => {
  it('is the SHA-256 of nothing for an empty run', () => {
    expect(contentHasher().digest()).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('is the same for a trade from REST and from a file with shorter decimals', () => {
    expect(hashOf({ price: '542.0' })).toBe(hashOf({ price: '542.00000000' }));
  });

  it('is the SHA-256 of all lines in order, however many', () => {
    const trades = Array.from({ length: 5000 }, (_, index) => tradeOf(index, index));
    const hasher = contentHasher();
    for (const trade of trades) hasher.update(trade);
    const lines = trades.map(canonicalLine).join('');
    expect(lines.length).toBeGreaterThan(200_000);
    expect(hasher.digest()).toBe(createHash('sha256').update(lines).digest('hex'));
  });

  it('differs when any one field differs', () => {
    const changes = [
      { price: '1.0' },
      { qty: '2.0' },
      { firstId: 1 },
      { lastId: 9 },
      { timeUs: 1 },
      { isBuyerMaker: true },
    ];
    expect(new Set([hashOf({}), ...changes.map(hashOf)]).size).toBe(changes.length + 1);
  });

  function hashOf(change: Parameters<typeof tradeOf>[2]): string {
    const hasher = contentHasher();
    hasher.update(tradeOf(1, 0, change));
    return hasher.digest();
  }
});
