import { describe, expect, it } from 'vitest';
import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { type Bar, barText, rollUp } from '../../../src/domain/bars/bar.ts';
import {
  cdvBars,
  cdvBarsFrom,
  type CdvRequest,
  compareForBars,
} from '../../support/reference-bars.ts';
import { HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import type { ExactBar } from '../../../src/ports/bar-store.ts';
import { invalidTradeOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 1, 29, 10);
const minute = (index: number): number => HOUR + index * MINUTE_MS;
const buy = (aggId: number, timeMs: number, qty: string, rest: Partial<AggTrade> = {}): AggTrade =>
  tradeOf(aggId, timeMs, { qty, ...rest });
const sell = (aggId: number, timeMs: number, qty: string, rest: Partial<AggTrade> = {}): AggTrade =>
  tradeOf(aggId, timeMs, { qty, isBuyerMaker: true, ...rest });

function minutesOf(trades: readonly AggTrade[], request: Partial<CdvRequest> = {}): Bar[] {
  return [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: [], ...request })];
}

describe('one bar', () => {
  const trades = [
    buy(1, minute(0), '2', { price: '10.0', firstId: 5, lastId: 7 }),
    sell(2, minute(0) + 1, '5', { price: '12.0', firstId: 8, lastId: 8 }),
    buy(3, minute(1) - 1, '1', { price: '11.0', firstId: 9, lastId: 10 }),
  ];

  it('opens after its first trade and closes after its last', () => {
    const [bar] = minutesOf(trades);
    expect(bar && barText(bar)).toEqual({
      openMs: minute(0),
      open: '2.00000000',
      high: '2.00000000',
      low: '-3.00000000',
      close: '-2.00000000',
      delta: '-2.00000000',
      buyVolume: '3.00000000',
      sellVolume: '5.00000000',
      quoteDelta: '-29.0000000000000000',
      quoteVolume: '91.0000000000000000',
      aggTrades: 3,
      trades: 6,
      buyAggTrades: 2,
      buyTrades: 5,
      priceOpen: '10.00000000',
      priceHigh: '12.00000000',
      priceLow: '10.00000000',
      priceClose: '11.00000000',
      firstId: 1,
      lastId: 3,
    });
  });

  it('has, as text, the fields of the exact tables', () => {
    const text = minutesOf(trades).map(barText)[0];
    const exact: Omit<ExactBar, 'status' | 'levelFromMs' | 'levelMissing'> | undefined = text;
    expect(exact?.openMs).toBe(HOUR);
  });

  it('is the same from an asynchronous stream', async () => {
    async function* arriving(): AsyncGenerator<AggTrade> {
      yield* trades;
    }
    const bars: Bar[] = [];
    for await (const bar of cdvBarsFrom(arriving(), { intervalMs: MINUTE_MS, denseHours: [HOUR] }))
      bars.push(bar);
    expect(bars).toEqual(minutesOf(trades, { denseHours: [HOUR] }));
  });
});

describe('the stream', () => {
  it('leaves invalid trades and tombstones out of levels and counts', () => {
    const tombstone = tradeOf(3, minute(0), { qty: '0', firstId: -1, lastId: -1 });
    const [bar] = minutesOf([buy(1, minute(0), '1'), invalidTradeOf(2, minute(0)), tombstone]);
    expect(bar).toMatchObject({ aggTrades: 1, trades: 2, lastId: 1, priceLow: 4_200_000_000_000n });
  });

  it('starts no bar for a minute that has only invalid trades', () => {
    expect(
      minutesOf([invalidTradeOf(1, minute(0)), buy(2, minute(2), '1')]).map(({ openMs }) => openMs),
    ).toEqual([minute(2)]);
  });

  it('must be in (time, id) order, since every level after a misplaced trade would be wrong', () => {
    expect(() => minutesOf([buy(2, minute(1), '1'), buy(3, minute(0), '1')])).toThrow('trade 3');
    expect(() => minutesOf([buy(2, minute(1), '1'), buy(1, minute(1), '1')])).toThrow('trade 1');
    const unsorted = [buy(3, minute(0), '1'), buy(2, minute(1), '1'), buy(1, minute(1), '1')];
    expect(minutesOf(unsorted.toSorted(compareForBars))).toHaveLength(2);
  });

  it('counts the level from the given start on', () => {
    const trades = [buy(1, minute(0), '1'), buy(2, minute(5), '2'), buy(3, minute(6), '4')];
    const bars = minutesOf(trades, { fromMs: minute(5), denseHours: [HOUR] });
    expect(bars[0]).toMatchObject({ openMs: minute(5), open: 200_000_000n });
    expect(bars.at(-1)).toMatchObject({ close: 600_000_000n });
  });

  it('puts microseconds of 2025 into the right minute', () => {
    const newYear = Date.UTC(2025, 0, 1);
    const last = buy(1, 0, '1', { timeUs: newYear * 1000 - 1 });
    const first = buy(2, 0, '1', { timeUs: newYear * 1000 });
    expect(minutesOf([last, first]).map(({ openMs }) => openMs)).toEqual([
      newYear - MINUTE_MS,
      newYear,
    ]);
  });

  it('is exact where doubles are not', () => {
    const trades = [
      buy(1, minute(0), '90071992547409.93000001'),
      sell(2, minute(1), '90071992547409.93000000'),
    ];
    expect(minutesOf(trades).at(-1)?.close).toBe(1n);
  });
});

describe('minutes without trades', () => {
  it('have flat bars in proven hours: at 0 before the first trade, then at the last level', () => {
    const bars = minutesOf([buy(1, minute(1), '3')], { denseHours: [HOUR] });
    expect(bars).toHaveLength(60);
    expect(bars.slice(0, 3).map(({ close, aggTrades }) => [close, aggTrades])).toEqual([
      [0n, 0],
      [300_000_000n, 1],
      [300_000_000n, 0],
    ]);
    expect(bars[2]).toMatchObject({
      open: 300_000_000n,
      delta: 0n,
      trades: 0,
      priceOpen: undefined,
      firstId: undefined,
    });
  });

  it('have no bars outside proven hours, where trades may not have been fetched', () => {
    const trades = [buy(1, minute(1), '3'), buy(2, minute(60 * 2 + 1), '1')];
    const bars = minutesOf(trades, { denseHours: [HOUR + 2 * HOUR_MS, HOUR] });
    expect(bars).toHaveLength(120);
    expect(bars[60]?.openMs).toBe(HOUR + 2 * HOUR_MS);
  });

  it('have bars at 0 when there are no trades at all', () => {
    expect(minutesOf([], { denseHours: [HOUR] }).every(({ close }) => close === 0n)).toBe(true);
  });

  it('have one longer bar, even when only some of its hours are proven', () => {
    const bars = minutesOf([], { intervalMs: 4 * HOUR_MS, denseHours: [HOUR, HOUR + HOUR_MS] });
    expect(bars.map(({ openMs }) => openMs)).toEqual([HOUR - 2 * HOUR_MS]);
  });
});

describe('rolling up', () => {
  it('takes the open of the first minute with trades, and no level of a silent minute as high or low', () => {
    // The level carried into the bar is 10; the bar itself only trades between 4 and 6.
    const trades = [buy(1, minute(0), '10'), sell(2, minute(6), '6'), buy(3, minute(8), '2')];
    const bars = [...rollUp(minutesOf(trades, { denseHours: [HOUR] }), 5 * MINUTE_MS)];
    expect(bars[1]).toMatchObject({
      open: 400_000_000n,
      high: 600_000_000n,
      low: 400_000_000n,
      close: 600_000_000n,
    });
    expect(bars[2]).toMatchObject({
      open: 600_000_000n,
      high: 600_000_000n,
      low: 600_000_000n,
      aggTrades: 0,
    });
    expect(bars).toHaveLength(12);
  });
});
