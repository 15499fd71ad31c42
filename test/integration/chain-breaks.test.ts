import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { dueBasesFrom, dueMidnightBases } from '../../src/app/bars/midnight-bases.ts';
import { type MidnightBase, midnightBases } from '../../src/domain/bars/chain.ts';
import type { DayInputs } from '../../src/domain/bars/day.ts';
import type { Series } from '../../src/domain/market.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { openStore, uniqueSeries } from '../support/store.ts';

/** The store finds where bases do not follow from the days; midnightBases() is the rule. */

const FIRST = Date.UTC(2024, 0, 29);
const DAYS = 5;
const IDS = 100;

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

interface Chain {
  readonly originMs: number;
  readonly days: readonly DayInputs[];
  /** Which of the right bases is wrong, and how. */
  readonly at: number;
  readonly wrong: (base: MidnightBase) => MidnightBase | undefined;
}

const days: fc.Arbitrary<DayInputs[]> = fc
  .uniqueArray(
    fc.record({
      day: fc.nat(DAYS - 1),
      deltaE8: fc.bigInt(-(10n ** 30n), 10n ** 30n),
      startsLate: fc.boolean(),
      idStart: fc.nat(3),
      idEnd: fc.nat(3),
      missing: fc.option(fc.nat(2), { nil: undefined, freq: 8 }),
    }),
    { selector: ({ day }) => day, minLength: 1 },
  )
  .map((all) => all.toSorted((left, right) => left.day - right.day))
  .map((all) =>
    all.map(({ day, deltaE8, startsLate, idStart, idEnd, missing }) => {
      const dayMs = FIRST + day * DAY_MS;
      return {
        dayMs,
        deltaE8,
        missing,
        hours: [],
        inputs: '',
        rows: 1,
        volumeE8: 0n,
        levelFromMs: startsLate ? dayMs + HOUR_MS : dayMs,
        idStart: day * IDS + idStart,
        idEnd: (day + 1) * IDS + idEnd,
      };
    }),
  );

const chains: fc.Arbitrary<Chain> = fc.record({
  originMs: fc.integer({ min: -1, max: DAYS }).map((day) => FIRST + day * DAY_MS),
  days,
  at: fc.nat(DAYS - 1),
  wrong: fc.constantFrom<Chain['wrong'][]>(
    (base) => base,
    (base) => ({ ...base, baseE8: base.baseE8 + 1n }),
    (base) => ({ ...base, missing: base.missing === undefined ? 0 : base.missing + 1 }),
    (base) => ({ ...base, missing: undefined }),
    () => undefined,
  ),
});

async function stored({ originMs, days: built, at, wrong }: Chain): Promise<Series> {
  const series = uniqueSeries('CHAIN');
  await createSeriesCatalogue(store.sql).pinOrigin(series, originMs);
  await store.bars.stamp(
    built.map((day) => ({ series, day })),
    Date.now(),
  );
  const bases = midnightBases(originMs, built).flatMap((base, index) =>
    index === at ? (wrong(base) ?? []) : [base],
  );
  await store.bars.writeMidnightBases(series, originMs, bases);
  return series;
}

test('a chain is broken exactly where a base is not the sum of the days, before and after the origin', async () => {
  const drawn = fc.sample(chains, 200);
  const all = await Promise.all(drawn.map(stored));
  const breaks = new Map((await store.bars.chainBreaks()).map((one) => [one.symbol, one]));
  let broken = 0;
  for (const [index, series] of all.entries()) {
    const { originMs = 0 } = drawn[index] ?? {};
    const { due } = await dueMidnightBases(store, series, originMs);
    const found = breaks.get(series.symbol);
    const what = JSON.stringify(drawn[index], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    expect(found !== undefined, what).toBe(due.length > 0);
    if (found === undefined) continue;
    broken += 1;
    expect(await store.bars.chainBreaks(series)).toEqual([found]);
    expect((await dueBasesFrom(store, found, originMs)).due).toEqual(due);
  }
  expect(broken).toBeGreaterThan(50);
  expect(broken).toBeLessThan(180);
});

describe('a chain of five days is broken at the third where', () => {
  test.each([
    ['its base differs', 'base = 7m'],
    ['its missing ids differ', 'missing = 1'],
    ['its missing ids are unknown', 'missing = NULL'],
  ])('%s', async (_, set) => {
    const series = await fiveDays();
    expect(await store.bars.chainBreaks(series)).toEqual([]);
    const dayMs = FIRST + 2 * DAY_MS;
    await store.sql.query(
      `UPDATE anchors SET ${set} WHERE symbol = '${series.symbol}' AND ts = ${dayMs * 1000}`,
    );
    await store.sql.waitApplied('anchors');
    expect(await store.bars.chainBreaks(series)).toEqual([
      { ...series, dayMs, beforeMs: dayMs - DAY_MS },
    ]);
  });

  test('the day before has changed: all later bases are due', async () => {
    const series = await fiveDays();
    await store.bars.stamp([{ series, day: dayAt(1, 5n) }], Date.now());
    const [found] = await store.bars.chainBreaks(series);
    expect(found).toMatchObject({ dayMs: FIRST + 2 * DAY_MS, beforeMs: FIRST + DAY_MS });
    if (found === undefined) return;
    const { due } = await dueBasesFrom(store, found, FIRST);
    expect(due.map(({ dayMs, baseE8 }) => [(dayMs - FIRST) / DAY_MS, baseE8])).toEqual([
      [2, 6n],
      [3, 7n],
      [4, 8n],
    ]);
  });
});

function dayAt(day: number, deltaE8: bigint): DayInputs {
  const dayMs = FIRST + day * DAY_MS;
  const ids = { idStart: day * IDS, idEnd: (day + 1) * IDS };
  const none = { hours: [], inputs: '', rows: 1, volumeE8: 0n, missing: 0 };
  return { ...none, ...ids, dayMs, levelFromMs: dayMs, deltaE8 };
}

async function fiveDays(): Promise<Series> {
  const built = Array.from({ length: DAYS }, (_, day) => dayAt(day, 1n));
  return stored({ originMs: FIRST, days: built, at: 0, wrong: (base) => base });
}
