import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AggTrade, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { contentHasher } from '../../src/domain/trade/content-hash.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import type { IdHole, RunFacts } from '../../src/domain/proof/hour-run.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { DAY, dayTrades, pagesOf, signedE8 } from './arbitraries.ts';

interface HourResult {
  readonly facts: RunFacts;
  readonly hash: string;
  readonly keptIds: readonly number[];
  readonly holes: readonly IdHole[];
  readonly nextId: number;
}

/** Runs one hour over a whole series, cut into pages, until the run is done. */
function runHour(
  hourMs: number,
  trades: readonly AggTrade[],
  sizes: readonly number[],
  expectedId: number,
): HourResult {
  const run = createHourRun({ hourMs }, { expectedId });
  const hasher = contentHasher();
  const keptIds: number[] = [];
  const holes: IdHole[] = [];
  const pages = pagesOf(trades, sizes);
  while (!run.done) {
    const accepted = run.accept(pages.next().value ?? []);
    for (const trade of accepted.kept) {
      hasher.update(trade);
      keptIds.push(trade.aggId);
    }
    holes.push(...accepted.holes);
  }
  return { facts: run.facts, hash: hasher.digest(), keptIds, holes, nextId: run.nextId };
}

const pageSizes = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 10 });
/** Some rows are up to an hour (the bound) older than drawn, so that times run backwards as they once did. */
const withBackwardTimes = fc
  .tuple(dayTrades, fc.array(fc.nat(HOUR_MS * 1000), { maxLength: 10 }))
  .map(([trades, shifts]) =>
    trades.map((trade, index) => ({
      ...trade,
      timeUs: Math.max(DAY * 1000, trade.timeUs - (shifts[index % 13] ?? 0)),
    })),
  );
/** Trades with consecutive ids, some of them left out. */
const withHoles = fc
  .tuple(dayTrades, fc.array(fc.nat(119)))
  .map(([trades, gone]) => trades.filter((_, index) => !gone.includes(index)));
const hours = fc.nat(5).map((index) => DAY + index * HOUR_MS);

describe('an hour’s run', () => {
  it('has the same facts, hash and holes however its trades are cut into pages', () => {
    fc.assert(
      fc.property(
        fc.oneof(dayTrades, withBackwardTimes, withHoles),
        hours,
        pageSizes,
        (trades, hourMs, sizes) => {
          const expectedId = trades[0]?.aggId ?? 0;
          const whole = runHour(hourMs, trades, [Math.max(1, trades.length)], expectedId);
          expect(runHour(hourMs, trades, sizes, expectedId)).toEqual(whole);
          expect(runHour(hourMs, trades, [1], expectedId)).toEqual(whole);
        },
      ),
    );
  });

  it('resumes from any stored part with the same facts', () => {
    fc.assert(
      fc.property(
        fc.oneof(dayTrades, withBackwardTimes),
        hours,
        fc.nat(120),
        (trades, hourMs, storedRows) => {
          const expectedId = trades[0]?.aggId ?? 0;
          const whole = runHour(hourMs, trades, [1000], expectedId);
          const start = trades.findIndex(({ aggId }) => aggId === whole.facts.first?.id);
          const run = createHourRun(
            { hourMs },
            { expectedId: trades[start]?.aggId ?? expectedId, ...prevOf(whole.facts) },
          );
          const kept = trades.filter(({ aggId }) => whole.keptIds.includes(aggId));
          expect(run.prime(kept.slice(0, storedRows))).toEqual(kept.slice(0, storedRows));
          while (!run.done) run.accept(trades.filter(({ aggId }) => aggId >= run.nextId));
          expect(run.facts).toEqual(whole.facts);
        },
      ),
    );
  });

  it('divides the ids among the hours: none lost, none in two, sums add up', () => {
    fc.assert(
      fc.property(fc.oneof(dayTrades, withBackwardTimes), (trades) => {
        const firstId = trades[0]?.aggId ?? 0;
        const results = Array.from({ length: 300 }, (_, index) =>
          runHour(DAY + index * HOUR_MS, trades, [50], firstId),
        );
        expect(results.flatMap(({ keptIds }) => keptIds)).toEqual(trades.map(({ aggId }) => aggId));
        const total = results.reduce((sum, { facts }) => sum + facts.buyE8 - facts.sellE8, 0n);
        const valid = trades.filter((trade) => !isInvalid(trade));
        expect(total).toBe(valid.reduce((sum, trade) => sum + signedE8(trade), 0n));
        expect(results.reduce((sum, { facts }) => sum + facts.invalidRows, 0)).toBe(
          trades.length - valid.length,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('reports exactly the ids that were left out before its end', () => {
    fc.assert(
      fc.property(withHoles, hours, pageSizes, (trades, hourMs, sizes) => {
        const expectedId = trades[0]?.aggId ?? 0;
        const { holes, nextId } = runHour(hourMs, trades, sizes, expectedId);
        const given = new Set(trades.map(({ aggId }) => aggId));
        const absent: number[] = [];
        for (let id = expectedId; id < nextId; id += 1) if (!given.has(id)) absent.push(id);
        const reported = holes.flatMap(({ fromId, toId }) =>
          Array.from({ length: toId - fromId }, (_, index) => fromId + index),
        );
        expect(reported).toEqual(absent);
      }),
    );
  });
});

function prevOf({ prev }: RunFacts): { prev?: NonNullable<RunFacts['prev']> } {
  return prev === undefined ? {} : { prev };
}
