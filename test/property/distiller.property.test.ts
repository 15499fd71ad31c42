import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import type { Contract } from '../../src/domain/bars/contract.ts';
import type { DistilledHour } from '../../src/domain/bars/distilled.ts';
import { createHourDistiller } from '../../src/domain/bars/distiller.ts';
import { tierOf } from '../support/reference-tiers.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { type AggTrade, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { blockOf, invalidTradeOf, tradeOf } from '../support/trades.ts';

/** Compares distilled hours with sums of bigints, up to what the columns of the store hold. */

const HOUR = Date.UTC(2024, 1, 29, 10);
const TIERS = [0, 10_000, 100_000, 1_000_000];
const E16 = 10n ** 16n;

/** The greatest values of DECIMAL(18,8) and DECIMAL(28,8), in units of 1e-8. */
const MOST_PRICE = 10n ** 18n - 1n;
const MOST_QTY = 10n ** 28n - 1n;

/** Any number of digits is as likely as any other; often the edges of limbs and of doubles. */
function units(most: bigint): fc.Arbitrary<bigint> {
  const digits = String(most).length;
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .integer({ min: 1, max: digits })
        .chain((length) => fc.bigInt(1n, 10n ** BigInt(length) - 1n)),
    },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(7n, 14n, 21n, 28n)
        .chain((power) => fc.bigInt(-2n, 2n).map((off) => 10n ** power + off))
        .filter((value) => value <= most),
    },
    { weight: 1, arbitrary: fc.bigInt(-2n, 2n).map((off) => 2n ** 53n + off) },
    { weight: 1, arbitrary: fc.constant(most) },
  );
}

/** Price and quantity whose product is a tier's bound, or next to it. */
const atBound = fc
  .record({
    bound: fc.constantFrom(...TIERS.slice(1)),
    power: fc.integer({ min: 0, max: 12 }),
    off: fc.bigInt(-1n, 1n),
  })
  .map(({ bound, power, off }) => {
    const price = 10n ** BigInt(power);
    return { price, qty: (BigInt(bound) * E16) / price + off };
  });

const worth = fc.oneof(
  { weight: 3, arbitrary: fc.record({ price: units(MOST_PRICE), qty: units(MOST_QTY) }) },
  { weight: 1, arbitrary: atBound },
);

interface Step {
  readonly waitUs: number;
  readonly worth: { readonly price: bigint; readonly qty: bigint };
  readonly isBuyerMaker: boolean;
  readonly fills: number;
  readonly draw: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  // Often at the same instant, sometimes in a later minute.
  waitUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90_000_000 })),
  worth,
  isBuyerMaker: fc.boolean(),
  fills: fc.integer({ min: 1, max: 1000 }),
  draw: fc.nat(30),
});

function tradesOf(steps: readonly Step[]): AggTrade[] {
  let timeUs = HOUR * 1000;
  return steps.flatMap(({ waitUs, worth: { price, qty }, isBuyerMaker, fills, draw }, index) => {
    timeUs += waitUs;
    if (timeUs >= (HOUR + HOUR_MS) * 1000) return [];
    const aggId = 1000 + index;
    if (draw === 0) return [{ ...invalidTradeOf(aggId, 0), timeUs }];
    // A tombstone, as the store keeps it.
    if (draw === 1)
      return [tradeOf(aggId, 0, { timeUs, price: '0', qty: '0', firstId: -2, lastId: -2 })];
    return [
      tradeOf(aggId, 0, {
        timeUs,
        price: formatDecimal(price, 8),
        qty: formatDecimal(qty, 8),
        isBuyerMaker,
        firstId: 50_000 + index * 1000,
        lastId: 50_000 + index * 1000 + fills - 1,
      }),
    ];
  });
}

const trades = fc.array(step, { minLength: 1, maxLength: 80 }).map(tradesOf);

type Fed = 'objects' | 'block' | 'mixed';

function distil(
  rows: readonly AggTrade[],
  fed: Fed,
  contract?: Contract,
): DistilledHour | undefined {
  const distiller = createHourDistiller({ hourMs: HOUR, tiers: TIERS, contract });
  const half = fed === 'block' ? 0 : fed === 'objects' ? rows.length : rows.length >> 1;
  for (const trade of rows.slice(0, half)) distiller.update(trade);
  if (half < rows.length) distiller.updateBlock(blockOf(rows), half, rows.length);
  return distiller.finish();
}

/** The same facts by the bigint pass: one running sum over all trades, and one over those of each tier. */
function expected(rows: readonly AggTrade[], contract?: Contract) {
  const valid = rows.filter((trade) => !isInvalid(trade)).toSorted(compareForBars);
  const minutes = [...cdvBars(valid, { intervalMs: MINUTE_MS, denseHours: [] })];
  const sumOf = (isSell: boolean) =>
    valid
      .filter(({ isBuyerMaker }) => isBuyerMaker === isSell)
      .reduce((sum, { qty }) => sum + parseDecimal(qty, 8), 0n);
  return {
    rows: rows.length,
    invalidRows: rows.length - valid.length,
    buyE8: sumOf(false),
    sellE8: sumOf(true),
    minutes: minutes.map((bar) => {
      const before = bar.close - bar.delta;
      const inMinute = valid.filter(
        ({ timeUs }) => timeUs >= bar.openMs * 1000 && timeUs < (bar.openMs + MINUTE_MS) * 1000,
      );
      return {
        openMs: bar.openMs,
        first: bar.open - before,
        highest: bar.high - before,
        lowest: bar.low - before,
        buyE8: bar.buyVolume,
        sellE8: bar.sellVolume,
        aggTrades: bar.aggTrades,
        trades: bar.trades,
        buyAggTrades: bar.buyAggTrades,
        buyTrades: bar.buyTrades,
        quoteE16: quoteOf(inMinute, contract),
        baseE24: baseOf(inMinute, contract),
        priceOpen: bar.priceOpen,
        priceHigh: bar.priceHigh,
        priceLow: bar.priceLow,
        priceClose: bar.priceClose,
        firstId: bar.firstId,
        lastId: bar.lastId,
        tiers:
          contract !== undefined && contract.size === undefined
            ? []
            : TIERS.map((_, tier) => tierSums(inMinute, tier, contract)),
      };
    }),
  };
}

function tierSums(inMinute: readonly AggTrade[], tier: number, contract?: Contract) {
  const own = inMinute.filter((trade) => tierOf(trade, TIERS, contract) === tier);
  const [bar] = cdvBars(own, { intervalMs: MINUTE_MS, denseHours: [] });
  if (bar === undefined) return undefined;
  const { open, high, low, buyVolume, sellVolume, aggTrades, trades: fills } = bar;
  const levels = { first: open, highest: high, lowest: low };
  return { ...levels, buyE8: buyVolume, sellE8: sellVolume, aggTrades, trades: fills };
}

function bySide(inMinute: readonly AggTrade[], of: (trade: AggTrade) => bigint) {
  const sum = (isSell: boolean) =>
    inMinute
      .filter(({ isBuyerMaker }) => isBuyerMaker === isSell)
      .reduce((total, trade) => total + of(trade), 0n);
  return { buy: sum(false), sell: sum(true) };
}

function quoteOf(inMinute: readonly AggTrade[], contract?: Contract) {
  if (contract !== undefined && contract.size === undefined) return undefined;
  return bySide(
    inMinute,
    ({ price, qty }) => parseDecimal(contract?.size ?? price, 8) * parseDecimal(qty, 8),
  );
}

/** Each quotient rounded to the 24th place, halves up. */
function baseOf(inMinute: readonly AggTrade[], contract?: Contract) {
  const size = contract?.size;
  if (size === undefined) return undefined;
  return bySide(inMinute, ({ price, qty }) => {
    const worthE32 = parseDecimal(qty, 8) * parseDecimal(size, 8) * E16;
    const priceE8 = parseDecimal(price, 8);
    const [quotient, rest] = [worthE32 / priceE8, worthE32 % priceE8];
    return 2n * rest >= priceE8 ? quotient + 1n : quotient;
  });
}

const fed = fc.constantFrom<Fed>('objects', 'block', 'mixed');
const contract = fc.constantFrom<Contract | undefined>(
  undefined,
  undefined,
  { size: '100' },
  { size: '0.00000007' },
  { size: undefined },
);

describe('a distilled hour', () => {
  it('equals sums of bigints, whatever the size of its numbers', () => {
    fc.assert(
      fc.property(trades, fed, contract, (rows, how, size) => {
        expect(distil(rows, how, size)).toEqual(expected(rows, size));
      }),
      { numRuns: 400 },
    );
  });

  it('is exact after thousands of the greatest trades', () => {
    const rows = Array.from({ length: 5_000 }, (_, index) =>
      tradeOf(1000 + index, HOUR, {
        price: formatDecimal(MOST_PRICE, 8),
        qty: formatDecimal(MOST_QTY, 8),
        isBuyerMaker: index % 7 === 0,
      }),
    );
    for (const how of ['objects', 'block'] as const)
      expect(distil(rows, how)).toEqual(expected(rows));
  });

  it('is given up when a row is older than the row before it, or outside the hour', () => {
    fc.assert(
      fc.property(
        trades,
        fed,
        fc.nat(),
        fc.integer({ min: 1, max: 2 * HOUR_MS }),
        (rows, how, draw, byMs) => {
          fc.pre(rows.length > 1);
          const at = 1 + (draw % (rows.length - 1));
          const back = rows.map((trade, index) =>
            index === at ? { ...trade, timeUs: (rows[at - 1]?.timeUs ?? 0) - byMs * 1000 } : trade,
          );
          expect(distil(back, how)).toBeUndefined();
          const late = rows.map((trade, index) =>
            index === rows.length - 1 ? { ...trade, timeUs: (HOUR + HOUR_MS) * 1000 } : trade,
          );
          expect(distil(late, how)).toBeUndefined();
        },
      ),
      { numRuns: 100 },
    );
  });
});
