import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggTrade, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, rollUp } from '../../src/domain/bars/bar.ts';
import { cdvBars, cdvBarsFrom } from '../support/reference-bars.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { type Interval, INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import { DAY, dayTrades, pagesOf, signedE8 } from './arbitraries.ts';

const ALL_HOURS = Array.from({ length: 24 }, (_, index) => DAY + index * HOUR_MS);
const inDay = (trades: readonly AggTrade[]): AggTrade[] =>
  trades.filter(({ timeUs }) => timeUs < (DAY + 24 * HOUR_MS) * 1000);

function barsOf(trades: readonly AggTrade[], interval: Interval, denseHours = ALL_HOURS): Bar[] {
  return [...cdvBars(inDay(trades), { intervalMs: INTERVAL_MS[interval], denseHours })];
}

/** The same bar with all levels moved. */
function moved(bar: Bar, by: bigint): Bar {
  const { open, high, low, close } = bar;
  return { ...bar, open: open + by, high: high + by, low: low + by, close: close + by };
}

const interval = fc.constantFrom(...INTERVALS);
const someHours = fc.subarray(ALL_HOURS);

describe('bars', () => {
  it('have low ≤ open, close ≤ high, and the same for prices', () => {
    fc.assert(
      fc.property(dayTrades, interval, (trades, each) => {
        for (const bar of barsOf(trades, each)) {
          expect(bar.low <= bar.open && bar.open <= bar.high).toBe(true);
          expect(bar.low <= bar.close && bar.close <= bar.high).toBe(true);
          const { priceOpen = 0n, priceHigh = 0n, priceLow = 0n, priceClose = 0n } = bar;
          expect(priceLow <= priceOpen && priceOpen <= priceHigh).toBe(true);
          expect(priceLow <= priceClose && priceClose <= priceHigh).toBe(true);
        }
      }),
    );
  });

  it('add up: every close is the sum of the deltas so far, and of the valid trades', () => {
    fc.assert(
      fc.property(dayTrades, interval, someHours, (trades, each, hours) => {
        let level = 0n;
        for (const bar of barsOf(trades, each, hours)) {
          level += bar.delta;
          expect(bar.close).toBe(level);
          expect(bar.buyVolume - bar.sellVolume).toBe(bar.delta);
        }
        const valid = inDay(trades).filter((trade) => !isInvalid(trade));
        expect(level).toBe(valid.reduce((sum, trade) => sum + signedE8(trade), 0n));
      }),
    );
  });

  it('are dense: one for each minute of the proven hours, in order, none twice', () => {
    fc.assert(
      fc.property(dayTrades, (trades) => {
        const minutes = barsOf(trades, '1m').map(({ openMs }) => openMs);
        expect(minutes).toEqual(Array.from({ length: 1440 }, (_, index) => DAY + index * 60_000));
      }),
      { numRuns: 20 },
    );
  });

  it('exist outside proven hours only where there are trades', () => {
    fc.assert(
      fc.property(dayTrades, interval, someHours, (trades, each, hours) => {
        const length = INTERVAL_MS[each];
        const touched = (openMs: number): boolean =>
          hours.some((hourMs) => hourMs < openMs + length && openMs < hourMs + HOUR_MS);
        const bars = barsOf(trades, each, hours);
        expect(bars.filter(({ openMs, aggTrades }) => aggTrades === 0 && !touched(openMs))).toEqual(
          [],
        );
        const openings = bars.map(({ openMs }) => openMs);
        expect(openings).toEqual([...new Set(openings)].toSorted((left, right) => left - right));
      }),
    );
  });

  it('roll up from minutes to the same bars as computed directly, at any interval', () => {
    fc.assert(
      fc.property(dayTrades, interval, someHours, (trades, each, hours) => {
        expect([...rollUp(barsOf(trades, '1m', hours), INTERVAL_MS[each])]).toEqual(
          barsOf(trades, each, hours),
        );
      }),
    );
  });

  it('are the same from a stream that is cut anywhere and resumed with its level', () => {
    fc.assert(
      fc.property(dayTrades, interval, fc.nat(120), (trades, each, cut) => {
        const head = barsOf(trades.slice(0, cut), each, []);
        const base = head.at(-1)?.close ?? 0n;
        const tail = barsOf(trades.slice(cut), each, []).map((bar) => moved(bar, base));
        // rollUp() joins the two halves of the bar that the cut divides.
        expect([...rollUp([...head, ...tail], INTERVAL_MS[each])]).toEqual(
          barsOf(trades, each, []),
        );
      }),
    );
  });

  it('are the same from a stream that arrives piece by piece', async () => {
    async function* arriving(trades: readonly AggTrade[], sizes: readonly number[]) {
      for (const piece of pagesOf(trades, sizes)) {
        await Promise.resolve();
        yield* piece;
      }
    }
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(dayTrades, interval, sizes, async (trades, each, pieces) => {
        const request = { intervalMs: INTERVAL_MS[each], denseHours: ALL_HOURS };
        const bars: Bar[] = [];
        for await (const bar of cdvBarsFrom(arriving(inDay(trades), pieces), request))
          bars.push(bar);
        expect(bars).toEqual(barsOf(trades, each));
      }),
      { numRuns: 30 },
    );
  });

  it('keep their deltas, whatever the start of the level: only levels shift', () => {
    fc.assert(
      fc.property(dayTrades, fc.nat(23), (trades, hour) => {
        const fromMs = DAY + hour * HOUR_MS;
        const later = [
          ...cdvBars(inDay(trades), { intervalMs: 60_000, denseHours: ALL_HOURS, fromMs }),
        ];
        const whole = barsOf(trades, '1m').filter(({ openMs }) => openMs >= fromMs);
        const base = (whole[0]?.close ?? 0n) - (later[0]?.close ?? 0n);
        expect(later.map((bar) => moved(bar, base))).toEqual(whole);
      }),
    );
  });
});
