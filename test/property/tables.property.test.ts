import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggTrade, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { type Bar } from '../../src/domain/bars/bar.ts';
import { cdvBars } from '../support/reference-bars.ts';
import { type MidnightBase, midnightBases } from '../../src/domain/bars/chain.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import type { RunStart } from '../../src/domain/proof/hour-run.ts';
import { type DayInputs, dayInputs } from '../../src/domain/bars/day.ts';
import { formatDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, daysOf, floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../src/domain/proof/ledger.ts';
import { recordOf } from '../support/trades.ts';
import { DAY, dayTrades, pagesOf, signedE8 } from './arbitraries.ts';

/** Trades of three or four days: trades of some hours with times 40 times as far apart. Equal times stay equal. */
const daysTrades: fc.Arbitrary<AggTrade[]> = dayTrades
  .filter((trades) => trades.length > 5)
  .map((trades) =>
    trades.map((trade) => ({ ...trade, timeUs: DAY * 1000 + 40 * (trade.timeUs - DAY * 1000) })),
  );

const pageSizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

/** Hours from the one before the first trade to that of the last one. */
function hoursAround(trades: readonly AggTrade[]): number[] {
  const hourOf = (trade: AggTrade | undefined) => floorTo((trade?.timeUs ?? 0) / 1000, HOUR_MS);
  const firstMs = hourOf(trades[0]) - HOUR_MS;
  const count = (hourOf(trades.at(-1)) - firstMs) / HOUR_MS + 1;
  return Array.from({ length: count }, (_, index) => firstMs + index * HOUR_MS);
}

/** Everything that is stored, by key: every write is an upsert. */
class Tables {
  readonly #rows = new Map<string, AggTrade>();
  readonly #ledger = new Map<number, SliceRecord>();

  /** Ingests one hour in pages of any size, starting where the hour before ended if that one is proven. */
  ingest(trades: readonly AggTrade[], hourMs: number, sizes: readonly number[]): void {
    const start = this.#start(trades, hourMs);
    const run = createHourRun({ hourMs }, start);
    const hasher = contentHasher();
    const pages = pagesOf(
      trades.filter(({ aggId }) => aggId >= start.expectedId),
      sizes,
    );
    while (!run.done)
      for (const trade of run.accept(pages.next().value ?? []).kept) {
        hasher.update(trade);
        this.#rows.set(`${trade.timeUs} ${trade.aggId}`, trade);
      }
    const { buyE8, sellE8, ...facts } = run.facts;
    this.#ledger.set(hourMs, {
      ...recordOf(hourMs, 0, 0),
      ...facts,
      buyQty: formatDecimal(buyE8, QTY_SCALE),
      sellQty: formatDecimal(sellE8, QTY_SCALE),
      contentHash: hasher.digest(),
    });
  }

  #start(trades: readonly AggTrade[], hourMs: number): RunStart {
    const before = this.#ledger.get(hourMs - HOUR_MS);
    if (before?.next !== undefined && verdictOf(before) === 'proven') {
      const prev = before.last ?? before.prev;
      return { expectedId: before.next.id, ...(prev === undefined ? {} : { prev }) };
    }
    const first = trades.find(({ timeUs }) => timeUs >= hourMs * 1000);
    const expectedId = Math.max(trades[0]?.aggId ?? 0, (first?.aggId ?? 0) - 1);
    return { expectedId };
  }

  /** What users can see. */
  content(originMs: number) {
    const rows = [...this.#rows.values()].toSorted((left, right) => left.aggId - right.aggId);
    const ledger = [...this.#ledger.values()].toSorted((left, right) => left.hourMs - right.hourMs);
    const hours = ledger.map(({ hourMs }) => hourMs);
    const range = { startMs: hours[0] ?? DAY, endMs: (hours.at(-1) ?? DAY) + HOUR_MS };
    const days = [...daysOf(range)].flatMap((dayMs) => this.#day(dayMs) ?? []);
    const anchors = midnightBases(originMs, days);
    const bars = new Map(days.map((day) => [day.dayMs, hourBars(day, rows)]));
    return { rows, ledger, days, anchors, bars };
  }

  #day(dayMs: number): DayInputs | undefined {
    const records = [...this.#ledger.values()].filter(
      ({ hourMs }) => hourMs >= dayMs && hourMs < dayMs + DAY_MS,
    );
    return dayInputs(dayMs, records);
  }
}

function hourBars({ dayMs, hours }: DayInputs, rows: readonly AggTrade[]): Bar[] {
  const denseHours = hours.flatMap(({ hourMs, verdict }) => (verdict === 'proven' ? [hourMs] : []));
  const inDay = rows.filter(
    ({ timeUs }) => timeUs >= dayMs * 1000 && timeUs < (dayMs + DAY_MS) * 1000,
  );
  return [...cdvBars(inDay, { intervalMs: HOUR_MS, denseHours })];
}

function inOrder(trades: readonly AggTrade[], hours: readonly number[]): Tables {
  const tables = new Tables();
  for (const hourMs of hours) tables.ingest(trades, hourMs, [1_000]);
  return tables;
}

describe('the tables', () => {
  it('are the same whatever the page sizes, the order of the hours, and how often each was fetched', () => {
    fc.assert(
      fc.property(daysTrades, fc.infiniteStream(fc.nat()), pageSizes, (trades, draw, sizes) => {
        const hours = hoursAround(trades);
        const originMs = floorTo(hours[draw.next().value % hours.length] ?? DAY, DAY_MS);
        const once = inOrder(trades, hours).content(originMs);

        const shuffled = new Tables();
        const twice = [...hours, ...hours].map((hourMs) => ({ hourMs, rank: draw.next().value }));
        for (const { hourMs } of twice.toSorted((left, right) => left.rank - right.rank))
          shuffled.ingest(trades, hourMs, sizes);
        expect(shuffled.content(originMs)).toEqual(once);
      }),
      { numRuns: 60 },
    );
  });

  it('have every trade once, and an hour is proven when a later trade is known', () => {
    fc.assert(
      fc.property(daysTrades, (trades) => {
        const { rows, ledger } = inOrder(trades, hoursAround(trades)).content(DAY);
        expect(rows).toEqual(trades);
        // When the first id is not 0, its predecessor was never seen.
        const verdicts = ledger.slice(2).map(verdictOf);
        expect(verdicts.slice(0, -1).every((verdict) => verdict === 'proven')).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('_total', () => {
  it('is the sum from the pinned origin, whatever was fetched first', () => {
    fc.assert(
      fc.property(daysTrades, fc.infiniteStream(fc.nat()), (trades, draw) => {
        const hours = hoursAround(trades);
        // The first day that was ever requested is the origin.
        const originMs = floorTo(hours[draw.next().value % hours.length] ?? DAY, DAY_MS);
        const { anchors, bars } = inOrder(trades, hours).content(originMs);
        for (const { dayMs, baseE8 } of anchors)
          for (const { openMs, close } of bars.get(dayMs) ?? [])
            expect(baseE8 + close).toBe(totalAt(trades, originMs, openMs + HOUR_MS));
        expect(levels(anchors).get(originMs) ?? 0n).toBe(0n);
      }),
      { numRuns: 60 },
    );
  });
});

function levels(anchors: readonly MidnightBase[]): Map<number, bigint> {
  return new Map(anchors.map(({ dayMs, baseE8 }) => [dayMs, baseE8]));
}

/** CDV at an instant by its definition: the sum since the origin, or before it minus the sum up to it. */
function totalAt(trades: readonly AggTrade[], originMs: number, atMs: number): bigint {
  const [fromMs, toMs] = atMs < originMs ? [atMs, originMs] : [originMs, atMs];
  const between = trades.filter(
    (trade) => !isInvalid(trade) && trade.timeUs >= fromMs * 1000 && trade.timeUs < toMs * 1000,
  );
  const sumE8 = between.reduce((sum, trade) => sum + signedE8(trade), 0n);
  return atMs < originMs ? -sumE8 : sumE8;
}
