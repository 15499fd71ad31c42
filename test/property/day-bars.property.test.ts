import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bar, rollUp } from '../../src/domain/bars/bar.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { barStatus, type DayInputs, dayInputs } from '../../src/domain/bars/day.ts';
import { type DayBar, type DayBars, dayBars } from '../../src/domain/bars/day-bars.ts';
import { createHourDistiller } from '../../src/domain/bars/distiller.ts';
import { DEFAULT_TIERS, TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { TierPass } from '../support/reference-tiers.ts';
import type { Series } from '../../src/domain/market.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { floorTo, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { recordOfTrades, tradeOf } from '../support/trades.ts';
import { DAY, dayTrades } from './arbitraries.ts';

const SERIES: Series = { market: 'binance_spot', symbol: 'ANY' };

type Fate = 'proven' | 'holes' | 'absent';
const fates = fc.array(fc.constantFrom<Fate>('proven', 'proven', 'holes', 'absent'), {
  minLength: 24,
  maxLength: 24,
});

/** The ledger rows of a day in which hours have holes or are not stored. */
function recordsOf(trades: readonly AggTrade[], fateOf: readonly Fate[]) {
  const byHour = Map.groupBy(trades, ({ timeUs }) => floorTo(timeUs / 1000, HOUR_MS));
  const records: SliceRecord[] = [];
  const kept: AggTrade[] = [];
  let nextId = trades[0]?.aggId ?? 1;
  for (const [index, fate] of fateOf.entries()) {
    const hourMs = DAY + index * HOUR_MS;
    const all = byHour.get(hourMs) ?? [];
    const prev = { id: nextId - 1, timeUs: hourMs * 1000 - 1 };
    nextId += all.length;
    if (fate === 'absent') continue;
    const rows = fate === 'holes' ? all.filter((_, place) => place % 3 !== 1) : all;
    kept.push(...rows);
    records.push(recordOfTrades(SERIES, hourMs, rows, { prev, nextId }));
  }
  return { records, kept };
}

function computed(day: DayInputs, trades: readonly AggTrade[]): DayBars {
  const hours = new Map(
    day.hours.map(({ hourMs }) => {
      const distiller = createHourDistiller({ hourMs, tiers: DEFAULT_TIERS, contract: undefined });
      for (const trade of trades)
        if (floorTo(trade.timeUs / 1000, HOUR_MS) === hourMs) distiller.update(trade);
      const hour = distiller.finish();
      if (hour === undefined) throw new Error('rows out of order');
      return [hourMs, hour] as const;
    }),
  );
  return dayBars(day, hours, DEFAULT_TIERS);
}

/** One line for each bar: thousands of objects take long to compare. */
function facts(bar: DayBar): string {
  const { openMs, open, high, low, close, buyE8, sellE8, aggTrades, trades } = bar;
  return [openMs, open, high, low, close, buyE8, sellE8, aggTrades, trades].join(' ');
}

function wantedFacts(bar: Bar): string {
  const { openMs, open, high, low, close, buyVolume, sellVolume, aggTrades, trades } = bar;
  return [openMs, open, high, low, close, buyVolume, sellVolume, aggTrades, trades].join(' ');
}

function tradedFacts({ traded }: DayBar) {
  if (traded === undefined) return undefined;
  const { quoteE16, firstId, lastId, buyAggTrades, buyTrades } = traded;
  const { priceOpen, priceHigh, priceLow, priceClose } = traded;
  const { buy = 0n, sell = 0n } = quoteE16 ?? {};
  const prices = { priceOpen, priceHigh, priceLow, priceClose };
  const quote = { quoteDelta: buy - sell, quoteVolume: buy + sell };
  return { firstId, lastId, buyAggTrades, buyTrades, ...prices, ...quote };
}

describe('the bars of a day', () => {
  it('equal the bigint pass at every interval, for every tier', () => {
    fc.assert(
      fc.property(dayTrades, fates, (all, fateOf) => {
        const inDay = all.filter(({ timeUs }) => timeUs < (DAY + 24 * HOUR_MS) * 1000);
        const { records, kept } = recordsOf(inDay, fateOf);
        const day = dayInputs(DAY, records);
        if (day === undefined) return;
        const bars = computed(day, kept);
        const ordered = kept.toSorted(compareForBars);
        const denseHours = day.hours
          .filter(({ verdict }) => verdict === 'proven')
          .map(({ hourMs }) => hourMs);
        const minutes = [...cdvBars(ordered, { intervalMs: MINUTE_MS, denseHours })];
        for (const interval of INTERVALS) {
          const spanMs = Math.max(INTERVAL_MS[interval], HOUR_MS);
          const found = bars.bars.get(interval) ?? [];
          const wanted = [...rollUp(minutes, INTERVAL_MS[interval])];
          expect(found.map(facts)).toEqual(wanted.map(wantedFacts));
          for (const [index, bar] of found.entries()) {
            const hourMs = floorTo(bar.openMs, HOUR_MS);
            const last = day.hours.findLast((hour) => hour.hourMs < hourMs + spanMs);
            expect(bar.status).toBe(barStatus(day, hourMs, spanMs));
            expect(bar.levelMissing).toBe(last?.levelMissing);
            if (bar.aggTrades > 0) expect(wanted[index]).toMatchObject(tradedFacts(bar) ?? {});
          }
        }
        const pass = new TierPass(DEFAULT_TIERS, undefined);
        for (const trade of ordered) pass.accept(trade);
        const tiers = pass.finish(minutes);
        for (const interval of TIER_INTERVALS)
          for (const [index, ofTier] of tiers.entries())
            expect((bars.tiers.get(interval)?.[index] ?? []).map(facts)).toEqual(
              [...rollUp(ofTier, INTERVAL_MS[interval])].map(wantedFacts),
            );
      }),
      { numRuns: 20 },
    );
  });

  it('are not computed when a quote amount has more digits than its column', () => {
    const bars = (qty: string) => {
      const trades = [1, 2].map((id) =>
        tradeOf(id, DAY + id, { price: '1000000000.00000000', qty }),
      );
      const { records } = recordsOf(trades, ['proven']);
      const day = dayInputs(DAY, records);
      if (day === undefined) throw new Error('a day without hours');
      return computed(day, trades).bars.get('1d');
    };
    // 22 digits before the point fit.
    expect(bars('4999999999999.99999999')?.[0]?.traded?.quoteE16?.buy).toBe(
      10n ** 38n - 2n * 10n ** 17n,
    );
    expect(() => bars('5000000000000.00000000')).toThrow(
      expect.objectContaining({ code: 'SUM_TOO_LARGE' }),
    );
  });
});
