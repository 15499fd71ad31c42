import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveFiles } from '../../src/adapters/questdb/archive-files.ts';
import { createBarStore } from '../../src/adapters/questdb/bar-store.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import type { Sql } from '../../src/adapters/questdb/sql.ts';
import { dueBasesFrom, dueMidnightBases } from '../../src/app/bars/midnight-bases.ts';
import { daysBehind, dueDays } from '../../src/app/plan/plan-series.ts';
import { dayInputs, holdsReach, inputRange, isBuiltFrom } from '../../src/domain/bars/day.ts';
import { DAY_MS, floorTo, HOUR_MS, hoursOf, type TimeRange } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

/** A look reads no rows of settled days. Whatever is due in the past, it finds at once. */

const DAYS = 5;
const FIRST = Date.UTC(2024, 0, 29);
const RANGE = { startMs: FIRST, endMs: FIRST + DAYS * DAY_MS };
const ROWS = 10;
const REACH = { rows: 2, invalidRows: 0, buyE8: 1n, sellE8: 0n };

type Store = ReturnType<typeof openStore>;

const UNUSED = { stream: async () => Promise.reject(new Error('nothing is written')) };

let store: Store;
/** Another process. */
let other: Store;
beforeAll(() => {
  store = openStore();
  other = openStore();
});
afterAll(async () => {
  await store.close();
  await other.close();
});

const dayAt = (day: number): number => FIRST + day * DAY_MS;

/** A proven hour; those of a series follow each other without a hole. */
function hourAt(series: Series, hourMs: number, rest: Partial<SliceRecord> = {}): SliceRecord {
  const firstId = 100_000 + ((hourMs - FIRST) / HOUR_MS) * ROWS;
  const content = `${rest.buyQty ?? ''}${(hourMs / HOUR_MS).toString(16).padStart(16, '0')}`;
  return {
    ...recordOf(hourMs, firstId, ROWS),
    ...series,
    contentHash: content.slice(-16).padEnd(64, 'f'),
    ...rest,
  };
}

async function write(records: readonly SliceRecord[], by = other): Promise<void> {
  await by.ledger.write(
    records.map((record) => ({ record, gaps: [] })),
    Date.now(),
  );
}

async function build(series: Series, dayMs: number, by: Pick<Store, 'bars'> = other) {
  const records = await store.ledger.records(series, inputRange(dayMs));
  const day = dayInputs(dayMs, records);
  if (day !== undefined) await by.bars.stamp([{ series, day }], Date.now());
}

async function chain(series: Series, originMs: number): Promise<void> {
  const [broken] = await store.bars.chainBreaks(series);
  if (broken === undefined) return;
  const { due } = await dueBasesFrom(store, broken, originMs);
  await store.bars.writeMidnightBases(series, originMs, due);
}

async function pin(series: Series, originMs: number): Promise<void> {
  await createSeriesCatalogue(store.sql).pinOrigin(series, originMs);
}

/** Five days, proven, built and chained. */
async function settledSeries(rest: Partial<SliceRecord> = {}): Promise<Series> {
  const series = uniqueSeries('LOOK');
  await pin(series, FIRST);
  await write([...hoursOf(RANGE)].map((hourMs) => hourAt(series, hourMs, rest)));
  for (let day = 0; day < DAYS; day += 1) await build(series, dayAt(day));
  await chain(series, FIRST);
  return series;
}

/** What is due, as hours of the range by day; a day without hours has bars that are due. */
async function look(series: Series, settled?: readonly TimeRange[]) {
  return Array.fromAsync(dueDays(store, series, RANGE, { settled }));
}

async function days(series: Series): Promise<readonly TimeRange[]> {
  return (await store.bars.settledDays(RANGE, series)).flatMap(({ ranges }) => ranges);
}

const of = ({ market, symbol }: Series): string => `market = '${market}' AND symbol = '${symbol}'`;

test('days whose hours are proven and whose bars are built from them are settled, of one series and of all', async () => {
  const series = await settledSeries();
  expect(await days(series)).toEqual([RANGE]);
  expect(await look(series)).toEqual([]);
  expect(await store.bars.chainBreaks(series)).toEqual([]);
  const all = await store.bars.settledDays(RANGE);
  expect(all.find(({ symbol }) => symbol === series.symbol)).toEqual({
    ...series,
    ranges: [RANGE],
  });
});

test('a look at another series and range has the same statements, so that the server keeps their plans', async () => {
  async function statements(range: TimeRange): Promise<readonly string[]> {
    const texts: string[] = [];
    const sql: Sql = {
      ...store.sql,
      query(text, values) {
        texts.push(text);
        return store.sql.query(text, values);
      },
    };
    const series = uniqueSeries('TEXT');
    const [ledger, bars] = [createLedger(sql), createBarStore({ ...store, sql, ilp: UNUSED })];
    await ledger.records(series, range);
    await ledger.lastBefore(series, range.endMs);
    await ledger.openGaps(series, range);
    await ledger.reopenBefore(series, range.endMs);
    await bars.days(series, range);
    await bars.settledDays(range, series);
    await bars.chainBreaks(series);
    await bars.midnightBases(series, range);
    await bars.bars(series, '1d', range);
    await createSeriesCatalogue(sql).find(series);
    await createArchiveFiles(sql).records(series, range);
    return texts;
  }
  const before = { startMs: RANGE.startMs - 9 * DAY_MS, endMs: RANGE.startMs };
  const texts = await statements(RANGE);
  expect(texts).toHaveLength(12);
  expect(await statements(before)).toEqual(texts);
});

const H = dayAt(1) + 5 * HOUR_MS;
const hours = (dayMs: number, ...at: number[]) => [
  { dayMs, hours: at.map((hour) => dayMs + hour * HOUR_MS) },
];

describe('in a day that was settled, the next look finds', () => {
  const cases: readonly {
    readonly what: string;
    readonly change: (series: Series) => Promise<unknown>;
    readonly due: Awaited<ReturnType<typeof look>>;
  }[] = [
    {
      what: 'an hour that is open again',
      change: async (series) => write([hourAt(series, H, { next: undefined })]),
      due: hours(dayAt(1), 5),
    },
    {
      what: 'an hour that has lost a row',
      change: async (series) => write([hourAt(series, H, { rows: ROWS - 1 })]),
      due: hours(dayAt(1), 5),
    },
    {
      what: 'an hour whose neighbour is not the next id',
      change: async (series) => write([hourAt(series, H, { prev: { id: 1, timeUs: 0 } })]),
      due: hours(dayAt(1), 5),
    },
    {
      what: 'an hour whose next trade lies in it',
      change: async (series) => {
        const record = hourAt(series, H);
        const next = { id: record.next?.id ?? 0, timeUs: (H + HOUR_MS) * 1000 - 1 };
        return write([{ ...record, next }]);
      },
      due: hours(dayAt(1), 5),
    },
    {
      what: 'bars of an hour that a repair has changed',
      change: async (series) => write([hourAt(series, H, { contentHash: 'a'.repeat(64) })]),
      due: hours(dayAt(1)),
    },
    {
      what: 'bars of both days when a row turns out to reach back over midnight',
      change: async (series) => write([hourAt(series, dayAt(2), { reachBack: REACH })]),
      due: [...hours(dayAt(1)), ...hours(dayAt(2))],
    },
    {
      what: 'bars that were begun and not finished',
      change: async (series) => {
        const day = dayInputs(dayAt(1), await store.ledger.records(series, inputRange(dayAt(1))));
        if (day !== undefined) await other.bars.begin([{ series, day }], Date.now());
      },
      due: hours(dayAt(1)),
    },
    {
      what: 'bars in other tiers',
      change: async (series) =>
        build(series, dayAt(1), {
          bars: createBarStore({ ...other, ilp: { stream: async () => undefined } }, [0, 7]),
        }),
      due: hours(dayAt(1)),
    },
    {
      what: 'bars of an earlier layout',
      change: async (series) =>
        store.sql.query(
          `UPDATE bar_days SET layout = '1' WHERE ${of(series)} AND ts = ${dayAt(1) * 1000}`,
        ),
      due: hours(dayAt(1)),
    },
    {
      what: 'a stamp of other hours, as after a restored table',
      change: async (series) =>
        store.sql.query(
          `UPDATE bar_days SET inputs = replace(inputs, '07=proven', '07=open') WHERE ${of(series)} AND ts = ${dayAt(1) * 1000}`,
        ),
      due: hours(dayAt(1)),
    },
    {
      what: 'a stamp of other verdicts that is as long',
      change: async (series) => {
        const [day] = await store.bars.days(series, { startMs: dayAt(1), endMs: dayAt(2) });
        const inputs = day?.inputs.replace(/(07=proven:\w+) 08=proven/, '$1<2 08=open');
        return store.sql.query(
          `UPDATE bar_days SET inputs = '${inputs}' WHERE ${of(series)} AND ts = ${dayAt(1) * 1000}`,
        );
      },
      due: hours(dayAt(1)),
    },
    {
      what: 'a stamp that counts a row of the next day that the ledger no longer has there',
      change: async (series) =>
        store.sql.query(
          `UPDATE bar_days SET inputs = inputs || ' next=0123456789abcdef<1' WHERE ${of(series)} AND ts = ${dayAt(1) * 1000}`,
        ),
      due: hours(dayAt(1)),
    },
  ];

  test.each(cases)('$what', async ({ change, due }) => {
    const series = await settledSeries();
    await change(series);
    await store.sql.waitApplied('bar_days');
    expect(await look(series)).toEqual(due);
    expect(await look(series, [])).toEqual(due);
    expect(await behind(series)).toEqual(await behindByRows(series));
  });

  test('the last hours of a symbol that trades again', async () => {
    const series = await settledSeries();
    const lastMs = RANGE.endMs - HOUR_MS;
    const endedAtMs = RANGE.endMs + DAY_MS;
    await write([hourAt(series, lastMs, { next: undefined, endedAtMs })]);
    expect(await look(series)).toEqual([]);
    expect(await days(series)).toEqual([RANGE]);
    await other.ledger.reopenBefore(series, RANGE.endMs + 2 * DAY_MS);
    expect(await look(series)).toEqual(hours(dayAt(4), 23));
  });
});

async function behind(series: Series): Promise<number[]> {
  const found = await Array.fromAsync(daysBehind(store, series, RANGE));
  return found.toSorted((left, right) => left - right);
}

/** Of all days by their rows: those whose bars lack an hour of the range as the ledger has it. */
async function behindByRows(series: Series): Promise<number[]> {
  const built = new Map(
    (await store.bars.days(series))
      .filter(({ isCurrent }) => isCurrent)
      .map(({ dayMs, inputs }) => [dayMs, inputs]),
  );
  const inputsOf = (hourMs: number) => built.get(floorTo(hourMs, DAY_MS)) ?? '';
  const lacking = new Set<number>();
  for (const record of await store.ledger.records(series, RANGE)) {
    const { hourMs } = record;
    if (!isBuiltFrom(inputsOf(hourMs), record)) lacking.add(floorTo(hourMs, DAY_MS));
    if (hourMs % DAY_MS === 0 && !holdsReach(inputsOf(hourMs - HOUR_MS), record))
      lacking.add(hourMs - DAY_MS);
  }
  return [...lacking].toSorted((left, right) => left - right);
}

type Step = (series: Series, originMs: number) => Promise<unknown>;

const RECORDS: readonly Partial<SliceRecord>[] = [
  {},
  { buyQty: '4.00000000' },
  { next: undefined },
  { next: undefined, endedAtMs: RANGE.endMs + DAY_MS },
  { rows: ROWS - 1 },
  { rows: ROWS + 1 },
  { reachBack: REACH },
  { prev: undefined },
  { rows: 0, first: undefined, last: undefined },
  { rows: 0, first: undefined, last: undefined, prev: undefined },
  { rows: 0, first: undefined, last: undefined, next: undefined, endedAtMs: RANGE.endMs + DAY_MS },
  {
    rows: 0,
    first: undefined,
    last: undefined,
    prev: undefined,
    next: undefined,
    endedAtMs: RANGE.endMs + DAY_MS,
  },
  { prev: undefined, first: { id: 0, timeUs: 0 }, last: { id: ROWS - 1, timeUs: 0 } },
];

const anyDay = fc.nat(DAYS - 1);
const steps: readonly fc.Arbitrary<{ readonly what: string; readonly run: Step }>[] = [
  anyDay.map((day) => ({
    what: `build ${day}`,
    run: async (series) => build(series, dayAt(day)),
  })),
  fc.constant({
    what: 'build all',
    run: async (series) => {
      for (let day = 0; day < DAYS; day += 1) await build(series, dayAt(day));
    },
  }),
  anyDay.map((day) => ({
    what: `fill ${day}`,
    run: async (series) =>
      write(
        [...hoursOf({ startMs: dayAt(day), endMs: dayAt(day + 1) })].map((hourMs) =>
          hourAt(series, hourMs),
        ),
      ),
  })),
  fc.tuple(fc.nat(DAYS * 24 - 1), fc.constantFrom(...RECORDS)).map(([hour, rest]) => ({
    what: `write ${hour} ${Object.keys(rest).join(',')}`,
    run: async (series) => write([hourAt(series, FIRST + hour * HOUR_MS, rest)]),
  })),
  fc.tuple(anyDay, fc.constantFrom(...RECORDS)).map(([day, rest]) => ({
    what: `write midnight ${day} ${Object.keys(rest).join(',')}`,
    run: async (series) => write([hourAt(series, dayAt(day), rest)]),
  })),
  fc.constant({
    what: 'reopen',
    run: async (series) => other.ledger.reopenBefore(series, RANGE.endMs),
  }),
  fc.constant({ what: 'chain', run: chain }),
  fc
    .tuple(anyDay, fc.bigInt(-2n, 2n), fc.option(fc.nat(1), { nil: undefined }))
    .map(([day, baseE8, missing]) => ({
      what: `base ${day}`,
      run: async (series, originMs) =>
        store.bars.writeMidnightBases(series, originMs, [{ dayMs: dayAt(day), baseE8, missing }]),
    })),
];

test('a look after any writes finds what the rows of all days say', async () => {
  let settled = 0;
  let whole = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -1, max: DAYS }),
      fc.boolean(),
      fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 8 }),
      async (origin, isFilled, plan) => {
        const originMs = dayAt(origin);
        const series = uniqueSeries('ANY');
        await pin(series, originMs);
        if (isFilled) {
          await write([...hoursOf(RANGE)].map((hourMs) => hourAt(series, hourMs)));
          for (let day = 0; day < DAYS; day += 1) await build(series, dayAt(day));
          await chain(series, originMs);
        }
        for (const { run } of plan) {
          await run(series, originMs);
          expect(await look(series)).toEqual(await look(series, []));
          expect(await behind(series)).toEqual(await behindByRows(series));
          const { due } = await dueMidnightBases(store, series, originMs);
          const [broken] = await store.bars.chainBreaks(series);
          expect(broken !== undefined).toBe(due.length > 0);
          if (broken !== undefined)
            expect((await dueBasesFrom(store, broken, originMs)).due).toEqual(due);
          settled += (await days(series)).length;
          if (due.length === 0) whole += 1;
        }
      },
    ),
    { numRuns: 20 },
  );
  // Else nothing was compared.
  expect(settled).toBeGreaterThan(20);
  expect(whole).toBeGreaterThan(5);
});
