import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  differingHours,
  fingerprintOf,
  type HourContent,
} from '../../../src/domain/proof/fingerprint.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';

const START = Date.UTC(2024, 0, 1);
const BTC: Series = { market: 'binance_spot', symbol: 'BTCUSDT' };

function hourOf(index: number): HourContent {
  const contentHash = createHash('sha256').update(String(index)).digest('hex');
  return { hourMs: START + index * HOUR_MS, rows: index, contentHash };
}

function hoursOf(count: number): HourContent[] {
  return Array.from({ length: count }, (_, index) => hourOf(index));
}

/** Computed by a Python program that splits the list of lines from the top down, as RFC 6962 defines it. */
const ROOTS: readonly (readonly [number, string])[] = [
  [1, '2bf90b754c1f6626a515a62b08a2a01ce4f7da19ace3f08347b976c8cb37dd15'],
  [2, 'ecd7fb9fb39901ff037c4881c4d9c5b500fdddfd9ee96f87989884c9f8dc8b8f'],
  [3, '8467de031f93484fe801eb6cf6bdac1473fdbd4784b680bddfe7f11cafddea6c'],
  [5, '1843d0edee1906c3beec5b7589bc81f1c6cc798ea43939a5645a33ee3a60a1f6'],
  [6, '66450a8d473720578e13b367df80ae430cef47aae235f78e5169802c3f547662'],
  [7, '63002bbba99c9f223326c84355551697733c25b5fe59040c3feb517afa481729'],
  [24, '5c66ed9ba33441b2d9b91b4f5cbdd1681332bbf5bdc926651ca4e297fcfd4c78'],
];

describe('the root', () => {
  it.each(ROOTS)('of %i hours is the tree hash of RFC 6962', (count, root) => {
    expect(fingerprintOf(BTC, hoursOf(count)).root).toBe(root);
  });

  it('of one hour is its leaf', () => {
    const { leaves, root } = fingerprintOf(BTC, hoursOf(1));
    expect(leaves.map(({ leaf }) => leaf)).toEqual([root]);
  });

  it('accepts symbols of any script, as UTF-8', () => {
    const hour = { ...hourOf(7), hourMs: Date.UTC(2024, 11, 31, 23) };
    const series: Series = { market: 'binance_spot', symbol: '币安人生USDT' };
    expect(fingerprintOf(series, [hour]).root).toBe(
      'f3175a52b347d5bae9fb15eb4db9147d82511900f21a01d4256241f2a6ed07ec',
    );
  });

  it('is different for another symbol, market or range', () => {
    const roots = [
      fingerprintOf(BTC, hoursOf(4)),
      fingerprintOf({ ...BTC, symbol: 'BTCUSDC' }, hoursOf(4)),
      fingerprintOf({ ...BTC, market: 'binance_um' }, hoursOf(4)),
      fingerprintOf(BTC, hoursOf(5)),
      fingerprintOf(BTC, hoursOf(5).slice(1)),
      fingerprintOf(
        BTC,
        hoursOf(4).map((hour) => ({ ...hour, hourMs: hour.hourMs + HOUR_MS })),
      ),
    ].map(({ root }) => root);
    expect(new Set(roots).size).toBe(roots.length);
  });

  it('of no hours is an error', () => {
    expect(() => fingerprintOf(BTC, [])).toThrow('a fingerprint of no hours');
  });
});

describe('two fingerprints', () => {
  const [first = hourOf(0), second = hourOf(1), third = hourOf(2)] = hoursOf(3);
  const left = fingerprintOf(BTC, [first, second, third]);

  it('of the same content do not differ', () => {
    expect(differingHours(left, fingerprintOf(BTC, hoursOf(3)))).toEqual([]);
  });

  it('differ in hours with other rows or content, and in hours that only one of them has', () => {
    const fewer = { ...second, rows: second.rows + 1 };
    expect(differingHours(left, fingerprintOf(BTC, [first, fewer, third]))).toEqual([
      second.hourMs,
    ]);
    const other = { ...first, contentHash: third.contentHash };
    const fourth = hourOf(3);
    const right = fingerprintOf(BTC, [other, second, fourth]);
    expect(differingHours(left, right)).toEqual([first.hourMs, third.hourMs, fourth.hourMs]);
    expect(differingHours(right, left)).toEqual([first.hourMs, third.hourMs, fourth.hourMs]);
  });
});
