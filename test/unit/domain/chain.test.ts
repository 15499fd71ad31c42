import { describe, expect, it } from 'vitest';
import { type BuiltDay, midnightBases } from '../../../src/domain/bars/chain.ts';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time/hour.ts';

const ORIGIN = Date.UTC(2024, 0, 10);

/** Day `index` counted from the origin, with 100 ids a day; the origin's first id is 1000. */
function day(index: number, deltaE8: bigint, rest: Partial<BuiltDay> = {}): BuiltDay {
  const idStart = 1000 + index * 100;
  return {
    dayMs: ORIGIN + index * DAY_MS,
    levelFromMs: ORIGIN + index * DAY_MS,
    deltaE8,
    idStart,
    idEnd: idStart + 100,
    missing: 0,
    ...rest,
  };
}

const chained = (...days: BuiltDay[]): [number, bigint, number | undefined][] =>
  midnightBases(ORIGIN, days).map(({ dayMs, baseE8, missing }) => [
    (dayMs - ORIGIN) / DAY_MS,
    baseE8,
    missing,
  ]);

describe('midnightBases', () => {
  it('is 0 at the origin and adds up after it', () => {
    expect(chained(day(2, 7n), day(0, 5n), day(1, -3n))).toEqual([
      [0, 0n, 0],
      [1, 5n, 0],
      [2, 2n, 0],
    ]);
  });

  it('subtracts before the origin, so that deltas add up across it', () => {
    expect(chained(day(-2, 4n), day(-1, -1n), day(0, 5n))).toEqual([
      [-2, -3n, 0],
      [-1, 1n, 0],
      [0, 0n, 0],
    ]);
  });

  it('counts the ids of a missing day', () => {
    expect(chained(day(0, 5n), day(3, 1n))).toEqual([
      [0, 0n, 0],
      [3, 5n, 200],
    ]);
    expect(chained(day(-3, 5n), day(0, 1n))).toEqual([
      [-3, -5n, 200],
      [0, 0n, 0],
    ]);
  });

  it('is unknown after an origin day whose first hours are not stored', () => {
    const late = { levelFromMs: ORIGIN + HOUR_MS };
    expect(chained(day(-1, 1n), day(0, 5n, late), day(1, 1n))).toEqual([
      [-1, -1n, 0],
      [0, 0n, undefined],
      [1, 5n, undefined],
    ]);
    expect(chained(day(0, 5n), day(1, 1n, { levelFromMs: ORIGIN + DAY_MS + HOUR_MS }))).toEqual([
      [0, 0n, 0],
      [1, 5n, 0],
    ]);
  });

  it('counts ids missing inside a day in the days beyond it', () => {
    expect(
      chained(day(-1, 1n, { missing: 4 }), day(0, 1n, { missing: 3 }), day(1, 1n)).map(
        ([, , missing]) => missing,
      ),
    ).toEqual([4, 0, 3]);
  });

  it('has no count while the origin’s own day is absent', () => {
    expect(chained(day(1, 5n), day(2, 1n))).toEqual([
      [1, 0n, undefined],
      [2, 5n, undefined],
    ]);
    expect(chained(day(-2, 5n), day(-1, 2n))).toEqual([
      [-2, -7n, undefined],
      [-1, -2n, undefined],
    ]);
  });

  it('has no count beyond a day whose missing ids can’t be counted', () => {
    const uncounted = { missing: undefined };
    expect(chained(day(0, 1n), day(1, 1n, uncounted), day(2, 1n)).at(-1)).toEqual([
      2,
      2n,
      undefined,
    ]);
    expect(
      chained(day(-2, 1n), day(-1, 1n, uncounted), day(0, 1n)).map(([, , count]) => count),
    ).toEqual([undefined, undefined, 0]);
  });

  it('has no bases without days', () => {
    expect(chained()).toEqual([]);
  });
});
