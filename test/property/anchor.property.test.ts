import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { type Anchor, resetsOver } from '../../src/domain/bars/anchor.ts';
import { type LevelBar, mergeLevels, openAtPrevious } from '../../src/domain/bars/bar.ts';
import { type BarGrid, evenGrid, sessionGrid, startsIn } from '../../src/domain/bars/bar-grid.ts';
import { cdvBars } from '../support/reference-bars.ts';
import { dayInputs } from '../../src/domain/bars/day.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import { countedFrom, movedBy } from '../../src/domain/bars/level-sums.ts';
import { LevelTrusts } from '../../src/domain/bars/level-trust.ts';
import { DAY, dayTrades, signedE8 } from './arbitraries.ts';
import { damagedDay } from './damaged-day.ts';

const ZONES = ['America/New_York', 'Europe/London', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'];

const session = fc.record({
  kind: fc.constant('session' as const),
  minuteOfDay: fc.nat(24 * 60 - 1),
  zone: fc.constantFrom(...ZONES, 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Africa/Cairo'),
});
const recurring: fc.Arbitrary<Anchor> = fc.oneof(
  fc.record({ kind: fc.constantFrom('day', 'week', 'month') }),
  session,
);
const minute = fc.integer({
  min: Date.UTC(2018, 0) / MINUTE_MS,
  max: Date.UTC(2030, 0) / MINUTE_MS,
});
const range = fc
  .tuple(minute, fc.integer({ min: 1, max: 40 * 24 * 60 }))
  .map(([from, length]) => ({ startMs: from * MINUTE_MS, endMs: (from + length) * MINUTE_MS }));
const lengthMs = fc.constantFrom(1, 5, 60, 120, 240, 1440).map((minutes) => minutes * MINUTE_MS);

describe('the instants at which levels start again from 0', () => {
  it('divide any range: each instant of it belongs to exactly one', () => {
    fc.assert(
      fc.property(recurring, range, (anchor, asked) => {
        const resets = resetsOver(anchor, asked, timeZones.clockTime);
        const [first = Infinity, second = Infinity] = resets;
        expect(first).toBeLessThanOrEqual(asked.startMs);
        expect(second).toBeGreaterThan(asked.startMs);
        expect(resets.at(-1)).toBeGreaterThanOrEqual(asked.endMs);
        expect(resets.at(-2) ?? -Infinity).toBeLessThan(asked.endMs);
        for (const [index, atMs] of resets.entries())
          expect(atMs).toBeGreaterThan(resets[index - 1] ?? -Infinity);
      }),
    );
  });

  it('show the session’s time on local clocks, unless the clocks skip it', () => {
    fc.assert(
      fc.property(session, range, (anchor, asked) => {
        const clock = new Intl.DateTimeFormat('en-GB', {
          timeZone: anchor.zone,
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23',
        });
        const wanted = new Date(anchor.minuteOfDay * MINUTE_MS).toISOString().slice(11, 16);
        const resets = resetsOver(anchor, asked, timeZones.clockTime);
        const skipped = resets.filter((atMs) => clock.format(atMs) !== wanted);
        // Clocks skip at most once a year, and the range is at most 40 days long.
        expect(skipped.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('bars of a session', () => {
  it('divide it: each begins where the one before ends, and none reaches beyond the session', () => {
    fc.assert(
      fc.property(session, range, lengthMs, (anchor, asked, length) => {
        const sessions = resetsOver(anchor, asked, timeZones.clockTime);
        const grid = sessionGrid(length, sessions);
        const starts = [...startsIn(grid, asked)];
        const isWrong = (startMs: number, index: number): boolean => {
          const endMs = grid.endOf(startMs);
          return (
            grid.startOf(startMs) !== startMs ||
            grid.startOf(endMs - 1) !== startMs ||
            endMs !== (starts[index + 1] ?? endMs) ||
            sessions.some((atMs) => atMs > startMs && atMs < endMs) ||
            (length < DAY_MS && endMs - startMs > length)
          );
        };
        expect(starts.filter(isWrong)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

const ALL_HOURS = Array.from({ length: 24 }, (_, index) => DAY + index * HOUR_MS);
/** Minutes of the day at which levels start again from 0; the first is the start of the day. */
const someMinutes = fc
  .uniqueArray(fc.integer({ min: 1, max: 1439 }), { maxLength: 5 })
  .map((minutes) => [0, ...minutes.toSorted((left, right) => left - right), 1440]);

/** Adds stored minutes up to longer bars. */
function addedUp(
  minutes: readonly LevelBar[],
  grid: BarGrid,
  levelStartOf: (startMs: number) => number,
): LevelBar[] {
  const offset = countedFrom(minutes, levelStartOf);
  return [...Map.groupBy(minutes, ({ openMs }) => grid.startOf(openMs))].map(([startMs, parts]) =>
    parts.map((part) => movedBy(part, offset(part, startMs))).reduce(mergeLevels),
  );
}

describe('levels by addition', () => {
  it('equal sums of the trades since the anchor, in bars of any length', () => {
    fc.assert(
      fc.property(dayTrades, someMinutes, lengthMs, fc.boolean(), (made, at, length, rolling) => {
        const trades = made.filter(
          (trade) => !isInvalid(trade) && trade.timeUs < (DAY + DAY_MS) * 1000,
        );
        const minutes = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: ALL_HOURS })];
        const resets = at.map((index) => DAY + index * MINUTE_MS);
        const grid = rolling ? evenGrid(length) : sessionGrid(length, resets);
        const levelStartOf = (startMs: number) =>
          rolling ? startMs - 2 * length : (resets.findLast((atMs) => atMs <= startMs) ?? DAY);
        const bars = addedUp(minutes, grid, levelStartOf);
        expect(bars.map(({ openMs }) => openMs)).toEqual([
          ...startsIn(grid, { startMs: DAY, endMs: DAY + DAY_MS }),
        ]);
        const sumUntil = (fromMs: number, untilUs: number) =>
          trades
            .filter(({ timeUs }) => timeUs >= fromMs * 1000 && timeUs < untilUs)
            .reduce((sum, trade) => sum + signedE8(trade), 0n);
        for (const bar of bars) {
          const endUs = grid.endOf(bar.openMs) * 1000;
          const fromMs = levelStartOf(bar.openMs);
          const own = trades.filter(({ timeUs }) => timeUs >= bar.openMs * 1000 && timeUs < endUs);
          let level = sumUntil(fromMs, bar.openMs * 1000);
          const levels = own.map((trade) => (level += signedE8(trade)));
          const shown = levels.length === 0 ? [level] : levels;
          expect(bar.open).toBe(shown[0]);
          expect(bar.close).toBe(sumUntil(fromMs, endUs));
          expect(bar.high).toBe(shown.reduce((left, right) => (left > right ? left : right)));
          expect(bar.low).toBe(shown.reduce((left, right) => (left < right ? left : right)));
          expect(bar.delta).toBe(own.reduce((sum, trade) => sum + signedE8(trade), 0n));
          expect(bar.aggTrades).toBe(own.length);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('open where the bar before closed, by the other convention, and include that level', () => {
    fc.assert(
      fc.property(dayTrades, lengthMs, (trades, length) => {
        const inDay = trades.filter(({ timeUs }) => timeUs < (DAY + DAY_MS) * 1000);
        const request = { intervalMs: length, denseHours: ALL_HOURS };
        let closed = 0n;
        for (const bar of cdvBars(inDay, request)) {
          const other = openAtPrevious(bar);
          expect(other.open).toBe(closed);
          expect(other.close).toBe(bar.close);
          expect([bar.high, closed]).toContain(other.high);
          expect([bar.low, closed]).toContain(other.low);
          for (const level of [bar.high, bar.low, closed])
            expect(other.low <= level && level <= other.high).toBe(true);
          closed = bar.close;
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('the trust in a level', () => {
  const inputsOf = (records: Parameters<typeof dayInputs>[1]) =>
    [dayInputs(DAY, records)].filter((day) => day !== undefined);

  it('equals that of the day when the level starts with the day', () => {
    fc.assert(
      fc.property(damagedDay(DAY), (records) => {
        for (const day of inputsOf(records)) {
          const trusts = new LevelTrusts(records, [day]);
          for (const { hourMs, levelMissing } of day.hours) {
            expect(trusts.between(DAY, hourMs + HOUR_MS)).toEqual({
              levelFromMs: day.levelFromMs,
              levelMissing,
            });
          }
        }
      }),
    );
  });

  it('counts the ids that no stored hour has since the anchor’s hour, and is never 0 after a hole', () => {
    fc.assert(
      fc.property(damagedDay(DAY), fc.nat(1439), (records, startMinute) => {
        const startMs = DAY + startMinute * MINUTE_MS;
        const trusts = new LevelTrusts(records, inputsOf(records));
        const known = records.filter(({ hourMs }) => hourMs + HOUR_MS > startMs);
        const firstId = (known[0]?.prev?.id ?? -1) + 1;
        for (const [index, record] of known.entries()) {
          const trust = trusts.between(startMs, record.hourMs + HOUR_MS);
          const held = known.slice(0, index + 1);
          const rows = held.reduce((sum, each) => sum + each.rows, 0);
          expect(trust).toEqual({
            levelFromMs: Math.max(startMs, known[0]?.hourMs ?? 0),
            levelMissing: (record.next?.id ?? 0) - firstId - rows,
          });
          if (held.some((each) => verdictOf(each) === 'gap'))
            expect(trust.levelMissing).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('is unknown from the first hour on whose bars were not built from the ledger', () => {
    fc.assert(
      fc.property(damagedDay(DAY), fc.nat(23), (records, changed) => {
        const victim = records[changed % Math.max(1, records.length)];
        if (victim === undefined) return;
        const days = inputsOf(records);
        const refetched = records.map((record) =>
          record === victim ? { ...record, contentHash: 'f'.repeat(64) } : record,
        );
        const lost = records.filter((record) => record !== victim);
        for (const ledger of [refetched, lost]) {
          const trusts = new LevelTrusts(ledger, days);
          for (const { hourMs } of ledger) {
            const { levelMissing } = trusts.between(DAY, hourMs + HOUR_MS);
            if (hourMs >= victim.hourMs) expect(levelMissing).toBeUndefined();
            else expect(levelMissing).toBeDefined();
          }
        }
      }),
    );
  });

  it('is unknown when the trade before the level’s start was never seen', () => {
    fc.assert(
      fc.property(damagedDay(DAY), (records) => {
        const [first] = records;
        if (first === undefined || first.rows === 0) return;
        const unseen = [{ ...first, prev: undefined }, ...records.slice(1)];
        const trusts = new LevelTrusts(unseen, inputsOf(unseen));
        expect(trusts.between(first.hourMs, first.hourMs + HOUR_MS).levelMissing).toBeUndefined();
      }),
    );
  });
});
