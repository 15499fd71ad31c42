import { expect, test } from 'vitest';
import { lagOf } from '../../src/app/lag.ts';
import { type DayCoverage, isResting, planWork } from '../../src/domain/plan/plan.ts';
import type { Verdict } from '../../src/domain/proof/ledger.ts';
import {
  DAY_MS,
  daysOf,
  floorTo,
  HOUR_MS,
  hoursOf,
  lastClosedHourEnd,
  MINUTE_MS,
  type TimeRange,
} from '../../src/domain/time/hour.ts';
import { uniformSequence } from '../exchange/random.ts';

/**
 * A month of the schedule by its pure rules: what a tick plans (planWork, isResting, lastClosedHourEnd) and how far
 * it is behind (lagOf). The world around them is made up here: ticks are lost, workers are off for days, the
 * address is banned, jobs run out of attempts, clocks step. That Redis, QuestDB and workers do what this
 * world supposes is proven by the soak and by the tests of faults, not here.
 */
const START = Date.UTC(2024, 8, 2);
const MONTH: TimeRange = { startMs: START, endMs: START + 30 * DAY_MS };
/** Longer than the longest rest (a week), so that hours that come late are asked for again. */
const CALM_MS = 8 * DAY_MS;
const TICK_AFTER_MS = 3 * MINUTE_MS;

interface World {
  /** While they are off no tick runs, since they run it. */
  readonly off: readonly TimeRange[];
  /** Jobs are planned and wait for the end. */
  readonly bans: readonly TimeRange[];
  /** Jobs are planned, fail, and run out of attempts. */
  readonly outages: readonly TimeRange[];
  /** The clock of the host that plans is wrong by this much. */
  readonly steps: readonly (TimeRange & { readonly byMs: number })[];
  /** Until then no source has the hour. */
  readonly lateUntilMs: ReadonlyMap<number, number>;
  /** Hours whose next trade comes only after the tick: they are open at first. */
  readonly silent: ReadonlySet<number>;
  readonly isTickLost: (index: number) => boolean;
}

function madeWorld(seed: number): World {
  const random = uniformSequence(seed);
  const within = (longestMs: number): TimeRange => {
    const startMs = START + random() * 29 * DAY_MS;
    return { startMs, endMs: Math.min(MONTH.endMs, startMs + random() * longestMs) };
  };
  const several = (count: number, longestMs: number) =>
    Array.from({ length: count }, () => within(longestMs));
  const hours = [...hoursOf(MONTH)];
  const share = (part: number) => hours.filter(() => random() < part);
  const lost = new Set(
    Array.from({ length: 1_000 }, (_, index) => index).filter(() => random() < 0.2),
  );
  return {
    off: several(3, 4 * DAY_MS),
    bans: several(4, 9 * HOUR_MS),
    outages: several(5, 12 * HOUR_MS),
    steps: several(4, 8 * HOUR_MS).map((range) => ({
      ...range,
      byMs: (random() - 0.5) * 12 * HOUR_MS,
    })),
    lateUntilMs: new Map(
      share(0.02).map((hourMs) => [hourMs, Math.min(MONTH.endMs, hourMs + random() * 12 * DAY_MS)]),
    ),
    silent: new Set(share(0.1)),
    isTickLost: (index) => lost.has(index),
  };
}

const isIn = (ranges: readonly TimeRange[], timeMs: number): boolean =>
  ranges.some(({ startMs, endMs }) => timeMs >= startMs && timeMs < endMs);

/** What the ledger knows of one series. */
class Ledger {
  readonly verdicts = new Map<number, Verdict>();
  readonly vain = new Map<number, { seenAtMs: number; askedAtMs: number }>();
  readonly fetches = new Map<number, number>();

  /** A worker fetches an hour. */
  fetch(hourMs: number, nowMs: number, { lateUntilMs, silent }: World): void {
    expect(this.verdicts.get(hourMs), 'a proven hour is not fetched again').not.toBe('proven');
    // The worker's own clock is right: it refuses an hour that has not ended.
    if (hourMs + HOUR_MS > lastClosedHourEnd(nowMs)) return;
    this.fetches.set(hourMs, (this.fetches.get(hourMs) ?? 0) + 1);
    if ((lateUntilMs.get(hourMs) ?? 0) > nowMs) {
      const seenAtMs = this.vain.get(hourMs)?.seenAtMs ?? nowMs;
      this.vain.set(hourMs, { seenAtMs, askedAtMs: nowMs });
      this.verdicts.set(hourMs, 'gap');
      return;
    }
    this.vain.delete(hourMs);
    const nextTradeMs = hourMs + HOUR_MS + (silent.has(hourMs) ? 40 : 1) * MINUTE_MS;
    this.verdicts.set(hourMs, nextTradeMs > nowMs ? 'open' : 'proven');
  }

  coverage(range: TimeRange, nowMs: number): DayCoverage[] {
    return [...daysOf(range)].map((dayMs) => {
      const hours = [...hoursOf({ startMs: dayMs, endMs: dayMs + DAY_MS })];
      const verdicts = hours.flatMap((hourMs): [number, Verdict][] => {
        const verdict = this.verdicts.get(hourMs);
        return verdict === undefined ? [] : [[hourMs, verdict]];
      });
      return {
        dayMs,
        verdicts: new Map(verdicts),
        barsFresh: true,
        resting: new Set(hours.filter((hourMs) => this.#isResting(hourMs, nowMs))),
      };
    });
  }

  #isResting(hourMs: number, nowMs: number): boolean {
    const asked = this.vain.get(hourMs);
    return asked !== undefined && isResting(asked, nowMs);
  }

  isProven(hourMs: number): boolean {
    return this.verdicts.get(hourMs) === 'proven';
  }

  get provenToMs(): number | undefined {
    const proven = [...this.verdicts].filter(([, verdict]) => verdict === 'proven');
    return proven.length === 0
      ? undefined
      : Math.max(...proven.map(([hourMs]) => hourMs)) + HOUR_MS;
  }
}

/** Runs the month. @returns how often a calm tick was looked at after an outage */
function live(world: World): { readonly ledger: Ledger; readonly recoveries: number } {
  const ledger = new Ledger();
  /** Planned hours of the one feed that a series may have at a time. */
  let planned: readonly number[] = [];
  let recoveries = 0;
  let wasHindered = false;
  const ticks = (MONTH.endMs - START + CALM_MS) / HOUR_MS;
  for (let index = 1; index <= ticks; index += 1) {
    const nowMs = START + index * HOUR_MS + TICK_AFTER_MS;
    if (isIn(world.off, nowMs)) wasHindered = true;
    if (isIn(world.off, nowMs)) continue;
    const isBanned = isIn(world.bans, nowMs);
    if (planned.length > 0 && !isBanned) {
      // What waited for the end of a ban goes on where it was, before the tick.
      for (const hourMs of planned) ledger.fetch(hourMs, nowMs - MINUTE_MS, world);
      planned = [];
    }
    if (nowMs < MONTH.endMs && world.isTickLost(index)) continue;
    const byMs = world.steps.find((step) => isIn([step], nowMs))?.byMs ?? 0;
    if (planned.length === 0) planned = dueAt(ledger, nowMs + byMs);
    if (isBanned || isIn(world.outages, nowMs) || byMs !== 0) wasHindered = true;
    if (isIn(world.outages, nowMs)) planned = [];
    if (isBanned) continue;
    for (const hourMs of planned) ledger.fetch(hourMs, nowMs, world);
    planned = [];
    if (isIn(world.outages, nowMs) || byMs !== 0) continue;
    expectNoLag(ledger, nowMs, world);
    if (wasHindered) recoveries += 1;
    wasHindered = false;
  }
  return { ledger, recoveries };
}

/** What a tick plans: each hour that its clock calls closed and that is not proven, once, but for those that rest. */
function dueAt(ledger: Ledger, clockMs: number): readonly number[] {
  const range = { startMs: START, endMs: Math.min(lastClosedHourEnd(clockMs), MONTH.endMs) };
  if (range.endMs <= START) return [];
  const coverage = ledger.coverage(range, clockMs);
  const due = planWork(range, coverage).flatMap(({ hours }) => hours);
  const rest = new Set(coverage.flatMap(({ resting = new Set<number>() }) => [...resting]));
  const expected = [...hoursOf(range)].filter(
    (hourMs) => !ledger.isProven(hourMs) && !rest.has(hourMs),
  );
  expect(due).toEqual(expected);
  return due;
}

/** After a tick that nothing hindered, the series is less than an hour behind, whatever was before. */
function expectNoLag(ledger: Ledger, nowMs: number, { lateUntilMs, silent }: World): void {
  const newestMs = lastClosedHourEnd(nowMs) - HOUR_MS;
  // Nobody can prove the newest hour yet, or the month is over.
  if (silent.has(newestMs) || lateUntilMs.has(newestMs) || newestMs >= MONTH.endMs) return;
  const lagMs = lagOf(START, { provenToMs: ledger.provenToMs }, nowMs);
  expect(lagMs).toBeLessThan(HOUR_MS);
}

test.each(Array.from({ length: 10 }, (_, index) => index + 1))(
  'a month with lost ticks, absent workers, bans, outages and steps of the clock, seed %i: each hour is due until it is proven, and no tick is left behind',
  (seed) => {
    const world = madeWorld(seed);
    const { ledger, recoveries } = live(world);
    const hours = [...hoursOf(MONTH)];
    expect(hours.filter((hourMs) => !ledger.isProven(hourMs))).toEqual([]);
    expect(recoveries).toBeGreaterThan(3);
    const ordinary = hours.filter(
      (hourMs) => !world.silent.has(hourMs) && !world.lateUntilMs.has(hourMs),
    );
    expect(ordinary.filter((hourMs) => ledger.fetches.get(hourMs) !== 1)).toEqual([]);
    // Waits double: an hour that comes within twelve days is asked for a few times, not at each of 288 ticks.
    for (const hourMs of world.lateUntilMs.keys())
      expect(ledger.fetches.get(hourMs) ?? 0).toBeLessThan(16);
    expect(floorTo(ledger.provenToMs ?? 0, HOUR_MS)).toBe(MONTH.endMs);
  },
);
