import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  applyRule,
  lastRank,
  type ListedSymbol,
  type ScheduleRule,
} from '../../../src/domain/plan/schedule-rule.ts';

const RULE: ScheduleRule = { market: 'binance_um', quote: 'USDT', top: 4, fromMs: 0 };

function listed(symbol: string, more: Partial<ListedSymbol> = {}): ListedSymbol {
  return { symbol, quote: 'USDT', isTrading: true, listedMs: undefined, ...more };
}

const names = (found: readonly ListedSymbol[]) => found.map(({ symbol }) => symbol);

test('without a number all that trade against the quote asset are covered', () => {
  const found = applyRule(
    { ...RULE, top: undefined },
    {
      listed: [
        listed('A'),
        listed('B'),
        listed('C', { quote: 'USDC' }),
        listed('D', { isTrading: false }),
      ],
      volumes: new Map(),
      covered: new Set(['B', 'D', 'GONE']),
    },
  );
  expect(names(found.joining)).toEqual(['A']);
  expect(found.leaving).toEqual([]);
  expect(found.ended).toEqual(['D', 'GONE']);
});

test('what is listed under a name that no job takes is named, and does not join', () => {
  const symbols = ['BTCUSDT', '币安人生USDT', 'BTCUSDT_260327', '../x', 'A B', 'btcusdt', ''];
  const found = applyRule(
    { ...RULE, top: undefined },
    { listed: symbols.map((symbol) => listed(symbol)), volumes: new Map(), covered: new Set() },
  );
  expect(names(found.joining)).toEqual(['BTCUSDT', '币安人生USDT', 'BTCUSDT_260327']);
  expect(found.unusable).toEqual(['../x', 'A B', 'btcusdt', '']);
});

test('a series at the edge joins once, however often volumes change places there', () => {
  const symbols = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
  let covered = new Set<string>();
  let joined = 0;
  for (let hour = 0; hour < 24; hour += 1) {
    // D and E change places every hour, at ranks 4 and 5.
    const volumes = new Map(symbols.map((symbol, index) => [symbol, 100 - index]));
    if (hour % 2 === 1) volumes.set('E', 97.5).set('D', 96.5);
    const { joining, leaving } = applyRule(RULE, {
      listed: symbols.map((symbol) => listed(symbol)),
      volumes,
      covered,
    });
    joined += joining.length;
    covered = new Set([...covered, ...names(joining)].filter((one) => !leaving.includes(one)));
  }
  expect([...covered].sort()).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(joined).toBe(5);
});

test('whatever the volumes, the first are covered, nothing behind the last rank is, and a look that follows changes nothing', () => {
  const volume = fc.record({
    volume: fc.nat(20),
    isCovered: fc.boolean(),
    isTrading: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(volume, { maxLength: 30 }),
      fc.integer({ min: 1, max: 12 }),
      (made, top) => {
        const symbols = made.map((one, index) => ({ ...one, symbol: `S${index}` }));
        const facts = {
          listed: symbols.map(({ symbol, isTrading }) => listed(symbol, { isTrading })),
          volumes: new Map(symbols.map((one) => [one.symbol, one.volume])),
        };
        const rule = { ...RULE, top };
        const before = new Set(symbols.filter((one) => one.isCovered).map((one) => one.symbol));
        const { joining, leaving, ended } = applyRule(rule, { ...facts, covered: before });
        const after = new Set(
          [...before, ...names(joining)].filter(
            (one) => !leaving.includes(one) && !ended.includes(one),
          ),
        );
        const trading = symbols.filter((one) => one.isTrading);
        const greater = (volumeOf: number) => trading.filter((one) => one.volume > volumeOf).length;
        for (const one of trading) {
          const ties = trading.filter((other) => other.volume === one.volume).length;
          if (greater(one.volume) + ties <= top) expect(after).toContain(one.symbol);
          if (greater(one.volume) >= lastRank(top)) expect(after).not.toContain(one.symbol);
        }
        expect(after.size).toBeLessThanOrEqual(lastRank(top));
        expect(applyRule(rule, { ...facts, covered: after })).toEqual({
          joining: [],
          leaving: [],
          ended: [],
          unusable: [],
        });
      },
    ),
  );
});
