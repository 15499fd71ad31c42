import fc from 'fast-check';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { invalidTradeOf, tradeOf } from '../support/trades.ts';

export const DAY = Date.UTC(2024, 1, 29);
const HOUR_US = HOUR_MS * 1000;

interface Step {
  readonly waitUs: number;
  readonly price: bigint;
  readonly qty: bigint;
  readonly isBuyerMaker: boolean;
  readonly isInvalid: boolean;
}

/** Waits are often 0 (ties), sometimes longer than a minute, rarely longer than an hour (silence). */
const waitUs = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 90_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 * HOUR_US }) },
);

const step: fc.Arbitrary<Step> = fc.record({
  waitUs,
  price: fc.bigInt({ min: 1n, max: 10n ** 14n }),
  qty: fc.bigInt({ min: 1n, max: 10n ** 19n }),
  isBuyerMaker: fc.boolean(),
  isInvalid: fc.nat(20).map((draw) => draw === 0),
});

/** Trades of one day in id order, times never backwards, ids without holes. */
export const dayTrades: fc.Arbitrary<AggTrade[]> = fc
  .tuple(fc.nat(1000), fc.nat(HOUR_US), fc.array(step, { maxLength: 120 }))
  .map(([firstId, firstUs, steps]) => {
    let timeUs = DAY * 1000 + firstUs;
    return steps.map((each, index) => {
      timeUs += each.waitUs;
      return tradeFrom(firstId + index, timeUs, each);
    });
  });

function tradeFrom(aggId: number, timeUs: number, each: Step): AggTrade {
  if (each.isInvalid) return { ...invalidTradeOf(aggId, 0), timeUs };
  const { isBuyerMaker } = each;
  return tradeOf(aggId, 0, { timeUs, price: text(each.price), qty: text(each.qty), isBuyerMaker });
}

/** Decimal text as the exchange writes it, computed in another way than by the code under test. */
function text(units: bigint): string {
  return `${units / 100_000_000n}.${String(units % 100_000_000n).padStart(8, '0')}`;
}

export function signedE8({ qty, isBuyerMaker }: AggTrade): bigint {
  const units = parseDecimal(qty, QTY_SCALE);
  return isBuyerMaker ? -units : units;
}

/** A list cut into pages of the given sizes, the last one repeated as long as needed. */
export function* pagesOf<T>(
  items: readonly T[],
  sizes: readonly number[],
): Generator<readonly T[], undefined> {
  let from = 0;
  for (let index = 0; from < items.length; index += 1) {
    const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
    yield items.slice(from, from + size);
    from += size;
  }
  return undefined;
}
