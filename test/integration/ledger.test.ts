import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROVEN_BY_IDS } from '../../src/adapters/questdb/proven-hours.ts';
import { idRange } from '../../src/domain/bars/day.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import {
  missingIds,
  type Neighbour,
  type SliceRecord,
  verdictOf,
} from '../../src/domain/proof/ledger.ts';
import { MARKETS } from '../../src/domain/market.ts';
import type { Gap } from '../../src/ports/ledger.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

const START = Date.UTC(2023, 0, 1);
const RANGE = { startMs: START, endMs: START + 1_000 * HOUR_MS };

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

/** Ids and times around the borders of an hour, where the rules differ. */
function neighbour(hourMs: number): fc.Arbitrary<Neighbour | undefined> {
  const edgeUs = fc.constantFrom(hourMs * 1000, (hourMs + HOUR_MS) * 1000);
  const timeUs = fc.tuple(edgeUs, fc.integer({ min: -2, max: 2 })).map(([edge, by]) => edge + by);
  return fc.option(fc.record({ id: fc.integer({ min: 0, max: 12 }), timeUs }), { nil: undefined });
}

function anyRecord(hourMs: number): fc.Arbitrary<SliceRecord> {
  return fc
    .record({
      prev: neighbour(hourMs),
      next: neighbour(hourMs),
      endedAtMs: fc.option(fc.constant(hourMs + 3 * HOUR_MS), {
        nil: undefined,
        freq: 1,
      }),
      run: fc.option(
        fc.record({
          firstId: fc.integer({ min: 0, max: 8 }),
          span: fc.integer({ min: 1, max: 4 }),
          lost: fc.integer({ min: 0, max: 1 }),
        }),
        { nil: undefined },
      ),
    })
    .map(({ prev, next, endedAtMs, run }) => ({
      ...recordOf(hourMs, 0, 0),
      prev,
      next,
      endedAtMs,
      rows: run === undefined ? 0 : Math.max(1, run.span - run.lost),
      first: run === undefined ? undefined : { id: run.firstId, timeUs: hourMs * 1000 + 5 },
      last:
        run === undefined
          ? undefined
          : { id: run.firstId + run.span - 1, timeUs: hourMs * 1000 + 9 },
    }));
}

/** One record of each verdict, in case the random ones have none. */
function plainRecords(fromMs: number): SliceRecord[] {
  const endedAtMs = fromMs + 10 * HOUR_MS;
  return [{}, { next: undefined }, { next: undefined, endedAtMs }, { rows: 9 }].map((rest, index) =>
    recordOf(fromMs + index * HOUR_MS, 100, 10, rest),
  );
}

test.each(MARKETS)('the view coverage and the domain agree on every hour of %s', async (market) => {
  const series = { ...uniqueSeries('VERDICT'), market };
  const hours = Array.from({ length: 150 }, (_, index) => START + index * HOUR_MS);
  const [drawn = []] = fc.sample(fc.tuple(...hours.map(anyRecord)), { numRuns: 1, seed: 20240101 });
  const records = [...drawn, ...plainRecords(START + hours.length * HOUR_MS)];
  await Promise.all(
    records.map((record) =>
      store.ledger.write([{ record: { ...record, ...series }, gaps: [] }], START),
    ),
  );

  expect(await store.ledger.records(series, RANGE)).toEqual(
    records.map((record) => ({ ...record, ...series })),
  );
  const seen = await store.sql.query(
    `SELECT verdict, missing, edge FROM coverage WHERE symbol = '${series.symbol}' ORDER BY ts`,
  );
  const wanted = records.map((record) => ({
    verdict: verdictOf({ ...record, market }),
    missing: missingIds({ ...record, market })?.toString() ?? null,
    edge: edgeOf({ ...record, market }),
  }));
  expect(seen).toEqual(wanted);
  expect(new Set(wanted.map(({ verdict }) => verdict))).toEqual(new Set(['proven', 'open', 'gap']));
  const byIds = await store.sql.query(
    `SELECT ts::long / 1000 AS hour_ms FROM slices WHERE symbol = '${series.symbol}' AND ${PROVEN_BY_IDS}`,
  );
  const found = new Set(byIds.map(({ hour_ms }) => Number(hour_ms)));
  expect(records.filter((record) => isWhole({ ...record, market })).map(hourOf)).toEqual([
    ...found,
  ]);
  // The count of missing ids is unknown where the trade before the hour was never seen.
  expect(seen).toContainEqual({ verdict: 'gap', missing: null, edge: null });
  expect(new Set(wanted.map(({ edge }) => edge))).toEqual(
    new Set(['listing', 'end_of_symbol', null]),
  );
});

const hourOf = ({ hourMs }: SliceRecord): number => hourMs;

/** Whether an hour is proven, some id of it is known, and no missing id is made up for by one too many. */
function isWhole(record: SliceRecord): boolean {
  const { prev, first, last, rows, next } = record;
  const isInOrder =
    first === undefined || last === undefined
      ? prev === undefined || next === undefined || next.id === prev.id + 1
      : last.id - first.id + 1 === rows &&
        (prev === undefined || prev.id === first.id - 1) &&
        (next === undefined || next.id === last.id + 1);
  return verdictOf(record) === 'proven' && idRange(record) !== undefined && isInOrder;
}

/** The proof that replaces a neighbour that does not exist. */
function edgeOf({ market, prev, first, next, endedAtMs }: SliceRecord): string | null {
  const lowestId = market === 'binance_spot' ? 0 : 1;
  if (prev === undefined && (first ?? next)?.id === lowestId) return 'listing';
  return next === undefined && endedAtMs !== undefined ? 'end_of_symbol' : null;
}

test('a later trade reopens the hours before it that the symbol’s end had proven, and no others', async () => {
  const series = uniqueSeries('ENDED');
  const endedAtMs = START + 100 * HOUR_MS;
  const hour = (index: number, rest: Partial<SliceRecord> = {}): SliceRecord => ({
    ...recordOf(START + index * HOUR_MS, 100, 0, { next: undefined, endedAtMs, ...rest }),
    ...series,
  });
  const other = { ...hour(1), symbol: uniqueSeries('ENDEDTOO').symbol };
  for (const record of [hour(0), hour(1), hour(3), other])
    await store.ledger.write([{ record: record, gaps: [] }], START);

  expect(await store.ledger.lastBefore(series, START)).toBeUndefined();
  expect((await store.ledger.lastBefore(series, START + 3 * HOUR_MS))?.hourMs).toBe(
    START + HOUR_MS,
  );
  await store.ledger.reopenBefore(series, START + 2 * HOUR_MS);
  expect(await store.ledger.records(series, RANGE)).toEqual([
    hour(0, { endedAtMs: undefined }),
    hour(1, { endedAtMs: undefined }),
    hour(3),
  ]);
  expect(await store.ledger.record(other, other.hourMs)).toEqual(other);
});

test('gaps keep the time when they were first seen, and are resolved when they are filled', async () => {
  const series = uniqueSeries('GAPS');
  const record = { ...recordOf(START, 100, 10), ...series };
  const gap = (fromId: number): Gap => ({
    hourMs: START,
    gapClass: 'missing_ids',
    fromId,
    toId: fromId + 2,
    evidence: 'seen in a test',
  });
  await store.ledger.write([{ record: record, gaps: [gap(100), gap(104)] }], 1_000);
  await store.ledger.write([{ record: record, gaps: [gap(104)] }], 2_000);
  expect(await store.ledger.openGaps(series, RANGE)).toEqual([{ ...gap(104), seenAtMs: 1_000 }]);
  const resolved = await store.sql.query(
    `SELECT from_id, resolved_at::long / 1000 AS at_ms FROM gaps WHERE symbol = '${series.symbol}' AND resolved_at IS NOT NULL`,
  );
  expect(resolved).toEqual([{ from_id: '100', at_ms: '2000' }]);
});

test('the overview and the totals count an hour with an unusual end or beginning by its verdict', async () => {
  const base = recordOf(START, 100, 10);
  const at = (hour: number) => ({ id: 109 + hour, timeUs: (START + hour * HOUR_MS) * 1000 });
  const none = { rows: 0, first: undefined, last: undefined };
  const hours: readonly Partial<SliceRecord>[] = [
    { prev: undefined },
    {
      prev: undefined,
      first: { id: 0, timeUs: START * 1000 },
      last: { id: 9, timeUs: START * 1000 },
      next: { ...at(1), id: 10 },
    },
    {
      prev: undefined,
      first: { id: 1, timeUs: START * 1000 },
      last: { id: 10, timeUs: START * 1000 },
      next: { ...at(1), id: 11 },
    },
    { ...none, prev: undefined, next: { ...at(1), id: 0 } },
    { ...none, prev: undefined, next: { ...at(1), id: 1 } },
    { next: undefined, endedAtMs: START + 5 * HOUR_MS },
    { next: undefined },
    { rows: 9 },
    { rows: 11 },
    { prev: { ...at(-1), id: 98 } },
    { next: { ...at(1), id: 111 } },
    { prev: { id: 99, timeUs: START * 1000 } },
    { next: { id: 110, timeUs: (START + 1) * 1000 } },
    { ...none, prev: { ...at(-1), id: 99 }, next: { ...at(1), id: 100 } },
    { ...none, prev: { ...at(-1), id: 99 }, next: { ...at(1), id: 101 } },
    { ...none, prev: { ...at(-1), id: 99 }, next: undefined, endedAtMs: START + 5 * HOUR_MS },
    { ...none, prev: undefined, next: undefined },
  ];
  for (const hour of hours)
    for (const market of ['binance_spot', 'binance_cm'] as const) {
      const series = { ...uniqueSeries('VERDICT'), market };
      const record = { ...base, ...hour, ...series };
      await store.ledger.write([{ record, gaps: [] }], START);
      const count = { proven: 0, open: 0, gap: 0, rows: record.rows, [verdictOf(record)]: 1 };
      expect(await store.ledger.totals(series, RANGE), `${market} ${JSON.stringify(hour)}`).toEqual(
        count,
      );
      const found = (await store.ledger.overview()).find(({ symbol }) => symbol === series.symbol);
      expect(found, `${market} ${JSON.stringify(hour)}`).toMatchObject({
        ...count,
        provenToMs: count.proven === 1 ? START + HOUR_MS : undefined,
      });
    }
});

test('totals and overview count hours by verdict; the overview also counts unfetched hours between them', async () => {
  const series = uniqueSeries('TOTALS');
  const proven = { ...recordOf(START, 100, 10), ...series };
  const open = { ...recordOf(START + 3 * HOUR_MS, 110, 5), ...series, next: undefined };
  await store.ledger.write([{ record: proven, gaps: [] }], START);
  await store.ledger.write([{ record: open, gaps: [] }], START);
  expect(await store.ledger.totals(series, RANGE)).toEqual({
    proven: 1,
    open: 1,
    gap: 0,
    rows: 15,
  });
  const overview = (await store.ledger.overview()).find(({ symbol }) => symbol === series.symbol);
  expect(overview).toEqual({
    ...series,
    startMs: START,
    endMs: START + 4 * HOUR_MS,
    proven: 1,
    open: 1,
    gap: 0,
    rows: 15,
    unknown: 2,
    provenToMs: START + HOUR_MS,
  });
  expect(await store.ledger.knows(series)).toBe(true);
  expect(await store.ledger.knows(uniqueSeries('NOBODY'))).toBe(false);
});

test('an overview is kept only until another process writes an hour', async () => {
  const series = uniqueSeries('KEPT');
  const hours = async () =>
    (await store.ledger.overview()).find(({ symbol }) => symbol === series.symbol)?.proven;
  expect(await hours()).toBeUndefined();
  const other = openStore();
  try {
    for (const count of [1, 2]) {
      const record = { ...recordOf(START + count * HOUR_MS, count * 100, 10), ...series };
      await other.ledger.write([{ record, gaps: [] }], START);
      expect(await hours()).toBe(count);
    }
  } finally {
    await other.close();
  }
});
