import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalLine } from '../../src/domain/trade/agg-trade.ts';
import { backoffMs } from '../../src/domain/plan/backoff.ts';
import { formatDecimal, formatDecimalShort, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, daysOf, HOUR_MS, hoursOf, widenToHours } from '../../src/domain/time/hour.ts';
import { VERDICTS_OF_PLAN, type CoveredHour, coverageOf } from './coverage.ts';
import { planWork } from '../../src/domain/plan/plan.ts';
import { tradeOf } from '../support/trades.ts';

const instantMs = fc.integer({ min: Date.UTC(2017, 0, 1), max: Date.UTC(2060, 0, 1) });
const range = fc
  .tuple(instantMs, fc.integer({ min: 1, max: 40 * DAY_MS }))
  .map(([startMs, lengthMs]) => ({ startMs, endMs: startMs + lengthMs }));

describe('hours', () => {
  it('divide any range of whole hours without overlap or gap', () => {
    fc.assert(
      fc.property(range, (asked) => {
        const wide = widenToHours(asked);
        expect(wide.startMs <= asked.startMs && asked.endMs <= wide.endMs).toBe(true);
        expect(wide.endMs - wide.startMs).toBeLessThan(asked.endMs - asked.startMs + 2 * HOUR_MS);
        let at = wide.startMs;
        for (const hourMs of hoursOf(wide)) {
          expect(hourMs).toBe(at);
          at += HOUR_MS;
        }
        expect(at).toBe(wide.endMs);
      }),
      { numRuns: 50 },
    );
  });

  it('lie in exactly one of the days of their range', () => {
    fc.assert(
      fc.property(range, (asked) => {
        const wide = widenToHours(asked);
        const days = [...daysOf(wide)];
        const touched = new Set(
          [...hoursOf(wide)].map((hourMs) => Math.floor(hourMs / DAY_MS) * DAY_MS),
        );
        expect(days).toEqual([...touched]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a plan', () => {
  const START = Date.UTC(2024, 1, 28);
  const covered: fc.Arbitrary<CoveredHour[]> = fc.uniqueArray(
    fc.record({ index: fc.nat(71), verdict: fc.constantFrom(...VERDICTS_OF_PLAN) }),
    { selector: ({ index }) => index, maxLength: 72 },
  );

  it('has exactly the wanted hours without the proven ones, each once, by day', () => {
    fc.assert(
      fc.property(
        fc.nat(71),
        fc.nat(71),
        covered,
        fc.array(fc.boolean(), { maxLength: 3 }),
        (left, right, known, fresh) => {
          const asked = {
            startMs: START + Math.min(left, right) * HOUR_MS,
            endMs: START + (Math.max(left, right) + 1) * HOUR_MS,
          };
          const work = planWork(asked, coverageOf(START, known, fresh));
          const proven = new Set(
            known
              .filter(({ verdict }) => verdict === 'proven')
              .map(({ index }) => START + index * HOUR_MS),
          );
          expect(work.flatMap(({ hours }) => hours)).toEqual(
            [...hoursOf(asked)].filter((hourMs) => !proven.has(hourMs)),
          );
          for (const { dayMs, hours } of work) {
            expect(hours.every((hourMs) => hourMs >= dayMs && hourMs < dayMs + DAY_MS)).toBe(true);
          }
          const days = work.map(({ dayMs }) => dayMs);
          expect(days).toEqual([...new Set(days)]);
        },
      ),
    );
  });
});

describe('decimals', () => {
  const scale = fc.constantFrom(0, 8, 16);
  const units = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n });

  it('are unchanged after formatting and parsing', () => {
    fc.assert(
      fc.property(units, scale, (value, digits) => {
        expect(parseDecimal(formatDecimal(value, digits), digits)).toBe(value);
        expect(parseDecimal(formatDecimalShort(value, digits), digits)).toBe(value);
      }),
    );
  });

  it('have one text for each value, and texts add up', () => {
    fc.assert(
      fc.property(units, units, (left, right) => {
        const sum =
          parseDecimal(formatDecimal(left, 8), 8) + parseDecimal(formatDecimal(right, 8), 8);
        expect(formatDecimal(sum, 8)).toBe(formatDecimal(left + right, 8));
        expect(formatDecimal(left, 8) === formatDecimal(right, 8)).toBe(left === right);
      }),
    );
  });

  it('enter the content hash as the same integers, however many zeros they end with', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 26n }), (value) => {
        const lines = [formatDecimal(value, 8), formatDecimalShort(value, 8)].map((price) =>
          canonicalLine(tradeOf(1, 0, { price })),
        );
        expect(lines).toEqual([`1,${value},100000000,2,3,0,0\n`, `1,${value},100000000,2,3,0,0\n`]);
      }),
    );
  });
});

describe('back-off', () => {
  it('stays between what the server asked and the ceiling, whichever is higher', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(5000), random, fc.nat(100_000), (attempt, draw, serverMs) => {
        const waitMs = backoffMs({ firstMs: 250, maxMs: 30_000 }, attempt, draw, serverMs);
        expect(waitMs >= serverMs && waitMs <= Math.max(serverMs, 30_000)).toBe(true);
      }),
    );
  });
});
