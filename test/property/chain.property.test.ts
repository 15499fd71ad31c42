import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MidnightBase, type BuiltDay, midnightBases } from '../../src/domain/bars/chain.ts';
import { dayInputs } from '../../src/domain/bars/day.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { damagedDay } from './damaged-day.ts';

const ORIGIN = Date.UTC(2024, 0, 10);
const IDS_A_DAY = 1000;

/** Stored days around the origin, any order; ids 1,000 a day, some of them missing. */
const days: fc.Arbitrary<BuiltDay[]> = fc.uniqueArray(
  fc
    .record({
      index: fc.integer({ min: -20, max: 20 }),
      deltaE8: fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }),
      missing: fc.nat(3),
    })
    .map(({ index, deltaE8, missing }) => {
      const idStart = (index + 100) * IDS_A_DAY;
      return {
        dayMs: ORIGIN + index * DAY_MS,
        levelFromMs: ORIGIN + index * DAY_MS,
        deltaE8,
        missing,
        idStart,
        idEnd: idStart + IDS_A_DAY,
      };
    }),
  { selector: ({ dayMs }) => dayMs, maxLength: 41 },
);

const byDay = (anchors: readonly MidnightBase[]): Map<number, MidnightBase> =>
  new Map(anchors.map((anchor) => [anchor.dayMs, anchor]));

describe('continuous CDV', () => {
  it('moves from one stored midnight to the next by the day’s delta', () => {
    fc.assert(
      fc.property(days, (stored) => {
        const anchors = midnightBases(ORIGIN, stored);
        const deltas = new Map(stored.map(({ dayMs, deltaE8 }) => [dayMs, deltaE8]));
        expect(anchors).toHaveLength(stored.length);
        for (const [index, anchor] of anchors.entries()) {
          const next = anchors[index + 1];
          // Where the origin lies between two stored days, the base goes through 0 in between.
          if (next === undefined || (anchor.dayMs < ORIGIN && next.dayMs > ORIGIN)) continue;
          expect(next.baseE8 - anchor.baseE8).toBe(deltas.get(anchor.dayMs));
        }
        expect(byDay(anchors).get(ORIGIN)?.baseE8 ?? 0n).toBe(0n);
      }),
    );
  });

  it('never moves when earlier days are added', () => {
    fc.assert(
      fc.property(days, fc.integer({ min: -20, max: 20 }), (stored, cut) => {
        const fromMs = ORIGIN + Math.min(0, cut) * DAY_MS;
        const later = midnightBases(
          ORIGIN,
          stored.filter(({ dayMs }) => dayMs >= fromMs),
        );
        const whole = byDay(midnightBases(ORIGIN, stored));
        expect(later.map(({ dayMs }) => whole.get(dayMs))).toEqual(later);
      }),
    );
  });

  it('never moves when later days are added', () => {
    fc.assert(
      fc.property(days, fc.nat(20), (stored, cut) => {
        const untilMs = ORIGIN + cut * DAY_MS;
        const earlier = midnightBases(
          ORIGIN,
          stored.filter(({ dayMs }) => dayMs <= untilMs),
        );
        const whole = byDay(midnightBases(ORIGIN, stored));
        expect(earlier.map(({ dayMs }) => whole.get(dayMs)?.baseE8)).toEqual(
          earlier.map(({ baseE8 }) => baseE8),
        );
      }),
    );
  });

  it('does not depend on the order of its days', () => {
    fc.assert(
      fc.property(days, fc.func(fc.nat()), (stored, rank) => {
        const shuffled = stored.toSorted((left, right) => rank(left.dayMs) - rank(right.dayMs));
        expect(midnightBases(ORIGIN, shuffled)).toEqual(midnightBases(ORIGIN, stored));
      }),
    );
  });

  it('counts every id missing between the origin and a midnight', () => {
    fc.assert(
      fc.property(days, (stored) => {
        const origin = stored.find(({ dayMs }) => dayMs === ORIGIN);
        for (const { dayMs, missing } of midnightBases(ORIGIN, stored)) {
          const [fromMs, toMs] = dayMs < ORIGIN ? [dayMs, ORIGIN] : [ORIGIN, dayMs];
          const between = stored.filter((day) => day.dayMs >= fromMs && day.dayMs < toMs);
          const present = between.reduce((ids, day) => ids + IDS_A_DAY - (day.missing ?? 0), 0);
          const whole = ((toMs - fromMs) / DAY_MS) * IDS_A_DAY;
          expect(missing).toBe(origin === undefined ? undefined : whole - present);
        }
      }),
    );
  });
});

const dayRecords = damagedDay(ORIGIN);

describe('level_missing', () => {
  it('is never 0 in or after an hour that has a gap, and never falls', () => {
    fc.assert(
      fc.property(dayRecords, (records) => {
        let seenGap = false;
        let before = 0;
        for (const { verdict, levelMissing } of dayInputs(ORIGIN, records)?.hours ?? []) {
          seenGap ||= verdict === 'gap';
          // Every hour here has its predecessor, so all missing ids can be counted.
          const missing = levelMissing ?? NaN;
          if (seenGap) expect(missing).toBeGreaterThan(0);
          expect(missing).toBeGreaterThanOrEqual(before);
          before = missing;
        }
      }),
    );
  });

  it('is the number of ids that no stored hour has, from the level’s start to the hour’s end', () => {
    fc.assert(
      fc.property(dayRecords, (records) => {
        const firstId = (records[0]?.prev?.id ?? -1) + 1;
        const hours = dayInputs(ORIGIN, records)?.hours ?? [];
        for (const [index, { levelMissing }] of hours.entries()) {
          const known = records.slice(0, index + 1);
          const lastId = (known.at(-1)?.next?.id ?? 0) - 1;
          expect(levelMissing).toBe(
            lastId - firstId + 1 - known.reduce((rows, record) => rows + record.rows, 0),
          );
          expect(hours[index]?.verdict).toBe(known.map(verdictOf).at(-1));
        }
      }),
    );
  });
});
