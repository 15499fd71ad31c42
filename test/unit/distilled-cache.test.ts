import { describe, expect, test } from 'vitest';
import { createDistilledCache } from '../../src/adapters/system/distilled-cache.ts';
import type { DistilledHour } from '../../src/domain/bars/distilled.ts';
import type { DistilledKey } from '../../src/ports/distilled-hours.ts';

const HOUR: DistilledHour = { minutes: [], rows: 3, invalidRows: 3, buyE8: 0n, sellE8: 0n };
const KEY: DistilledKey = {
  market: 'binance_cm',
  symbol: 'BTCUSD_PERP',
  hourMs: 0,
  contentHash: 'a'.repeat(64),
  tiers: [0, 10_000],
  contract: { size: '100' },
};

describe('a kept hour', () => {
  test('is found under all that it depends on', () => {
    const cache = createDistilledCache();
    cache.keep(KEY, HOUR);
    expect(cache.find({ ...KEY, tiers: [0, 10_000], contract: { size: '100' } })).toBe(HOUR);
  });

  test.each<[string, Partial<DistilledKey>]>([
    ['market', { market: 'binance_spot' }],
    ['symbol', { symbol: 'ETHUSD_PERP' }],
    ['hour', { hourMs: 3_600_000 }],
    ['content', { contentHash: `${'a'.repeat(63)}b` }],
    ['tiers', { tiers: [0, 10_001] }],
    ['contract size', { contract: { size: '10' } }],
    ['unknown contract size', { contract: { size: undefined } }],
    ['trades without contracts', { contract: undefined }],
  ])('is not found under another %s', (_, other) => {
    const cache = createDistilledCache();
    cache.keep(KEY, HOUR);
    expect(cache.find({ ...KEY, ...other })).toBeUndefined();
  });
});

test('the hours that were used longest ago are forgotten first, by bytes', () => {
  const cache = createDistilledCache(3_500);
  const keys = [0, 1, 2, 3].map((hour) => ({ ...KEY, hourMs: hour * 3_600_000 }));
  for (const key of keys.slice(0, 3)) cache.keep(key, HOUR);
  const [first = KEY, second = KEY, , fourth = KEY] = keys;
  expect(cache.find(first)).toBe(HOUR);
  cache.keep(fourth, HOUR);
  expect(cache.find(second)).toBeUndefined();
  expect(cache.find(first)).toBe(HOUR);
});
