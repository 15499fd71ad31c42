import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintRange } from '../../src/app/verify/fingerprint-range.ts';
import { ingestHour } from '../../src/app/hour/ingest-hour.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { verdictOf } from '../../src/domain/proof/ledger.ts';
import type { TradeStore } from '../../src/ports/trade-store.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import type { ExchangeSymbol } from '../exchange/exchange.ts';
import type { RequestEntry } from '../exchange/request-log.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import {
  type PageRead,
  readPage,
  type Trade,
  type TradeSeries,
  tradesFromArray,
} from '../exchange/trade-series.ts';
import { unique } from '../support/command-line.ts';
import { NEVER } from '../support/store.ts';
import { hoursOfDay, referenceDay, truth, withoutTrust } from './reference.ts';
import { Rig, spot } from './rig.ts';
import { tradesTable, tradesView } from '../support/store.ts';

const DAY = Date.UTC(2024, 9, 7);
const HOURS = hoursOfDay(DAY).slice(0, 4);
const RANGE = { startMs: DAY, endMs: DAY + 4 * HOUR_MS };
const SPAN = { fromMs: DAY - HOUR_MS, toMs: DAY + 6 * HOUR_MS };
const base = syntheticTrades({ seed: 61, ...SPAN, tradesPerHour: 200, firstId: 1_000 });
const busy = syntheticTrades({ seed: 62, ...SPAN, tradesPerHour: 2_500, firstId: 1_000 });

/** The id of the n-th trade of an hour. */
function idIn(series: TradeSeries, hour: number, n: number): number {
  return series.firstId + series.indexAtTime((DAY + hour * HOUR_MS) * 1000) + n;
}

/** A series that a test can replace, and whose visible end it can move, as the exchange's database changes. */
class Changing implements TradeSeries {
  current: TradeSeries;
  endsAtMs = Infinity;

  constructor(first: TradeSeries) {
    this.current = first;
  }

  get count(): number {
    return this.current.count;
  }
  get firstId(): number {
    return this.current.firstId;
  }
  get endUs(): number {
    return this.current.endUs;
  }
  at(index: number) {
    return this.current.at(index);
  }
  indexOfId(id: number): number {
    return this.current.indexOfId(id);
  }
  indexAtTime(timeUs: number): number {
    return this.current.indexAtTime(timeUs);
  }
  visibleEnd(): number {
    return Math.min(this.count, this.indexAtTime(Math.min(this.endUs, this.endsAtMs * 1000)));
  }
}

const symbols: ExchangeSymbol[] = [];

function listed(name: string, trades: TradeSeries, more: Partial<ExchangeSymbol> = {}): string {
  const symbol = unique(name);
  symbols.push({ symbol, trades, ...more });
  return symbol;
}

const HOLE = { fromId: idIn(base, 2, 20), toId: idIn(base, 2, 34) };
const holey = new Changing(faultySeries(base, [{ kind: 'gap', ...HOLE }]));
const GAP = listed('DFGAP', holey);

const oddities = faultySeries(busy, [
  { kind: 'invalidRow', id: idIn(busy, 1, 7) },
  { kind: 'timeBackwards', id: idIn(busy, 1, 500), byMs: 90_000 },
  // More than a page of them, across at least one page border.
  { kind: 'sameMs', fromId: idIn(busy, 2, 300), count: 1_500 },
  { kind: 'shortPage', id: idIn(busy, 3, 450) },
  { kind: 'repeatedPage', id: idIn(busy, 0, 900) },
]);
const ODD = listed('DFODD', oddities);

const foundLate = faultySeries(busy, [
  { kind: 'lateSearch', id: idIn(busy, 1, 0), rows: 1_700, times: 1 },
  { kind: 'lateSearch', id: idIn(busy, 2, 0), rows: 1_700 },
  { kind: 'lateSearch', id: idIn(busy, 3, 0), rows: 3_000 },
]);
const FOUND_LATE = listed('DFLATE', foundLate);

const backOver = faultySeries(base, [
  { kind: 'timeBackwards', id: idIn(base, 2, 3), byMs: 40 * 60_000 },
  { kind: 'timeBackwards', id: idIn(base, 3, 3), byMs: 59 * 60_000 },
]);
const BACK = listed('DFBACK', backOver);
const BURIED = listed('DFBURIED', backOver);

const SAME = { kind: 'duplicateId', id: idIn(base, 1, 50) } as const;
const OTHER = {
  kind: 'duplicateId',
  id: idIn(base, 2, 70),
  change: { q: '777.00000000' },
} as const;
const TWICE = listed('DFTWO', faultySeries(base, [SAME, OTHER]));

/** Shows an id twice in the first two pages that hold it. */
class Passing extends Changing {
  doubleReads = 0;

  read(page: PageRead): readonly Trade[] {
    const rows = readPage(this.current, page);
    if (rows.filter(({ a }) => a === SAME.id).length > 1) this.doubleReads += 1;
    if (this.doubleReads === 2) this.current = base;
    return rows;
  }
}
const passing = new Passing(faultySeries(base, [SAME]));
const PASSING = listed('DFPASS', passing);

const KEPT_FROM = idIn(base, 1, 40);
const RETENTION = listed('DFRET', base, { retentionFirstId: KEPT_FROM });

const LISTED_AT = DAY + HOUR_MS + 20 * 60_000;
const young = syntheticTrades({
  seed: 63,
  fromMs: LISTED_AT,
  toMs: SPAN.toMs,
  tradesPerHour: 100,
  firstId: 0,
});
const LISTING = listed('DFLIST', young);

const sparse = tradesFromArray(
  [-30, 5, 6, 200, 239, 300].map((minute, index) => ({
    a: 500 + index,
    p: '10.5',
    q: `${index + 1}.25`,
    timeUs: (DAY + minute * 60_000) * 1000,
    m: index % 2 === 0,
  })),
);
const SPARSE = listed('DFSPARSE', sparse);

const ending = new Changing(base);
const OPEN = listed('DFOPEN', ending);

const BOGUS = listed('DFBOGUS', base);
const CLOSING = listed('DFCLOSE', base);

let rig: Rig;
let app: App;

beforeAll(async () => {
  rig = await Rig.start({ symbols });
  app = await rig.app();
  // Some tests work on hours without a run, which would pin the origin first.
  for (const symbol of [FOUND_LATE, BACK, BURIED, BOGUS, CLOSING])
    await app.catalogue.pinOrigin(spot(symbol), DAY);
});

afterAll(async () => rig.dispose());

async function gapsOf(symbol: string) {
  return app.sql.query(
    `SELECT class, from_id, to_id, resolved_at IS NULL AS open FROM gaps WHERE symbol = '${symbol}' ORDER BY from_id`,
  );
}

async function hourBars(symbol: string) {
  const bars = await app.bars.bars(spot(symbol), '1h', RANGE);
  return bars.map(({ openMs, status, levelMissing, aggTrades }) => ({
    hour: (openMs - DAY) / HOUR_MS,
    status,
    levelMissing,
    aggTrades,
  }));
}

async function expectBars(
  symbol: string,
  trades: TradeSeries,
  denseHours: readonly number[] = HOURS,
): Promise<void> {
  for (const interval of INTERVALS) {
    const bars = await app.bars.bars(spot(symbol), interval, {
      startMs: DAY,
      endMs: DAY + DAY_MS,
    });
    expect(bars.map(withoutTrust), `${symbol} ${interval}`).toEqual(
      referenceDay(trades, DAY, interval, { hours: HOURS, denseHours }),
    );
  }
}

function rowsIn(trades: TradeSeries, hour: number): number {
  const startMs = DAY + hour * HOUR_MS;
  return truth(trades, { startMs, endMs: startMs + HOUR_MS }).length;
}

test('an hour with missing ids is a gap with evidence and partial bars that are not dense; filled later, it is exact', async () => {
  const missing = HOLE.toId - HOLE.fromId + 1;
  const result = await rig.backfill(app, [spot(GAP)], RANGE);
  expect(result).toMatchObject({ exitCode: 3, proven: 3, gap: 1, open: 0, unknown: 0 });
  expect(await gapsOf(GAP)).toEqual([
    {
      class: 'missing_ids',
      from_id: String(HOLE.fromId),
      to_id: String(HOLE.toId + 1),
      open: 't',
    },
  ]);
  expect(await hourBars(GAP)).toEqual(
    [0, 1, 2, 3].map((hour) => ({
      hour,
      status: hour === 2 ? 'partial' : 'final',
      levelMissing: hour < 2 ? 0 : missing,
      aggTrades: rowsIn(holey, hour),
    })),
  );
  const proven = HOURS.filter((_, hour) => hour !== 2);
  await expectBars(GAP, holey, proven);
  const coverage = await app.sql.query(
    `SELECT verdict, missing FROM coverage WHERE symbol = '${GAP}' ORDER BY ts`,
  );
  expect(coverage.map(({ verdict }) => verdict)).toEqual(['proven', 'proven', 'gap', 'proven']);
  expect(coverage[2]?.['missing']).toBe(String(missing));

  holey.current = base;
  expect(await rig.backfill(app, [spot(GAP)], RANGE)).toMatchObject({ exitCode: 0, proven: 4 });
  await expectBars(GAP, base);
  expect((await hourBars(GAP)).map(({ levelMissing }) => levelMissing)).toEqual([0, 0, 0, 0]);
  expect((await gapsOf(GAP)).map(({ open }) => open)).toEqual(['f']);
});

test('invalid rows, times that run backwards, a crowded millisecond, short and repeated pages are stored, and bars are exact', async () => {
  const result = await rig.backfill(app, [spot(ODD)], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 4, rows: truth(oddities, RANGE).length });
  await expectBars(ODD, oddities);

  const crowd = await app.sql.query(
    `SELECT ts, count() AS n FROM ${await tradesTable(app.sql, ODD)} ORDER BY n DESC LIMIT 1`,
  );
  expect(Number(crowd[0]?.['n'])).toBeGreaterThanOrEqual(1_500);
  const raw = await app.sql.query(
    `SELECT agg_id, price, qty, first_id FROM ${await tradesTable(app.sql, ODD)} WHERE first_id < 0`,
  );
  const invalidId = String(idIn(busy, 1, 7));
  expect(raw).toEqual([
    { agg_id: invalidId, price: '0.00000000', qty: '0.00000000', first_id: '-1' },
  ]);
  const seen = await app.sql.query(
    `SELECT count() AS n FROM ${await tradesView(app.sql, ODD)} WHERE agg_id = ${invalidId}`,
  );
  expect(seen).toEqual([{ n: '0' }]);
  // The trades of the crowded millisecond come from the minutes after it, which have no trades now.
  expect(new Set((await gapsOf(ODD)).map((gap) => gap['class']))).toEqual(
    new Set(['invalid_rows', 'time_backwards', 'halt']),
  );
});

test('an hour begins with its first trade although the search by time returns a later one', async () => {
  for (const hour of [3, 2, 1]) {
    const slice = { ...spot(FOUND_LATE), hourMs: DAY + hour * HOUR_MS, runId: 'found-late' };
    const outcome = await ingestHour(app, slice, AbortSignal.timeout(60_000));
    const record = outcome.kind === 'recorded' ? outcome.record : undefined;
    expect(record?.rows).toBe(rowsIn(busy, hour));
    expect(record?.first?.id).toBe(idIn(busy, hour, 0));
    expect(record && verdictOf(record)).toBe('proven');
  }
});

test('rows that run back into an earlier hour stay stored when that hour is fetched after theirs', async () => {
  for (const hour of [3, 2, 1]) {
    const slice = { ...spot(BACK), hourMs: DAY + hour * HOUR_MS, runId: 'back' };
    const outcome = await ingestHour(app, slice, AbortSignal.timeout(60_000));
    const record = outcome.kind === 'recorded' ? outcome.record : undefined;
    expect(record && verdictOf(record), `hour ${hour}`).toBe('proven');
  }
  const stored = await app.sql.query(
    `SELECT agg_id FROM ${await tradesView(app.sql, BACK)} ORDER BY agg_id`,
  );
  expect(stored.map((row) => Number(row['agg_id']))).toEqual(
    truth(backOver, { startMs: DAY + HOUR_MS, endMs: RANGE.endMs }).map(({ aggId }) => aggId),
  );
});

test('rows that run back into an earlier hour stay stored when that hour is proven before theirs is on record', async () => {
  const sliceOf = (hour: number) => ({
    ...spot(BURIED),
    hourMs: DAY + hour * HOUR_MS,
    runId: 'buried',
  });
  const signal = AbortSignal.timeout(60_000);
  // Hour 2 has stored its rows; before it is proven, another worker proves hour 1.
  let isProven = false;
  const trades: TradeStore = {
    ...app.trades,
    async write(...args) {
      await app.trades.write(...args);
      if (isProven) return;
      isProven = true;
      await ingestHour(app, sliceOf(1), signal);
    },
  };
  // The proof of hour 1 does not touch ids after its own: an hour in progress may have stored them.
  const outcome = await ingestHour({ ...app, trades }, sliceOf(2), signal);
  expect(isProven).toBe(true);
  const record = outcome.kind === 'recorded' ? outcome.record : undefined;
  expect(record && verdictOf(record)).toBe('proven');
  const range = { startMs: DAY + HOUR_MS, endMs: DAY + 3 * HOUR_MS };
  expect((await fingerprintRange(app, spot(BURIED), range, NEVER)).leaves).toHaveLength(2);
});

function isWithin({ firstId = Infinity, lastId = -1 }: RequestEntry, id: number): boolean {
  return firstId <= id && id <= lastId;
}

test('an id that always comes twice is requested again, then stored once, with every content on record', async () => {
  const result = await rig.backfill(app, [spot(TWICE)], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 4, rows: truth(base, RANGE).length });
  await expectBars(TWICE, base);
  const doubled = rig
    .pages(TWICE)
    .filter((page) => [SAME.id, OTHER.id].some((id) => isWithin(page, id)));
  const tries = Map.groupBy(doubled, ({ query }) => query['fromId']);
  expect(new Set([...tries.values()].map(({ length }) => length))).toEqual(new Set([3]));

  const [equal, changed, ...others] = await app.ledger.openGaps(spot(TWICE), RANGE);
  expect(others).toEqual([]);
  expect(equal).toMatchObject({
    gapClass: 'duplicate_id',
    hourMs: DAY + HOUR_MS,
    fromId: SAME.id,
    toId: SAME.id + 1,
  });
  expect(equal?.evidence).toContain('2 times with equal content');
  expect(changed).toMatchObject({
    gapClass: 'duplicate_id',
    hourMs: DAY + 2 * HOUR_MS,
    fromId: OTHER.id,
    toId: OTHER.id + 1,
  });
  const first = base.at(base.indexOfId(OTHER.id));
  expect(changed?.evidence).toContain(`the first is kept: price ${first.p}, quantity ${first.q}`);
  expect(changed?.evidence).toContain(`dropped: price ${first.p}, quantity ${OTHER.change.q}`);
});

test('an id that comes twice only for a moment leaves no trace', async () => {
  expect(await rig.backfill(app, [spot(PASSING)], RANGE)).toMatchObject({ exitCode: 0, proven: 4 });
  expect(passing.doubleReads).toBe(2);
  await expectBars(PASSING, base);
  expect(await gapsOf(PASSING)).toEqual([]);
});

test('where the exchange keeps no older trades, the missing trades of the level are unknown', async () => {
  const result = await rig.backfill(app, [spot(RETENTION)], RANGE);
  expect(result).toMatchObject({ exitCode: 3, proven: 2, gap: 2, unknown: 0 });
  expect((await gapsOf(RETENTION)).map((gap) => gap['class'])).toContain('retention');
  const bars = await hourBars(RETENTION);
  expect(bars.map(({ hour, status }) => [hour, status])).toEqual([
    [1, 'partial'],
    [2, 'final'],
    [3, 'final'],
  ]);
  expect(bars.map(({ levelMissing }) => levelMissing)).toEqual([undefined, undefined, undefined]);
  const views = await app.sql.query(
    `SELECT level_missing FROM cdv_1m WHERE symbol = '${RETENTION}' AND level_missing IS NOT NULL`,
  );
  expect(views).toEqual([]);
});

test('the hours before a listing are proven empty, since ids start at 0', async () => {
  const result = await rig.backfill(app, [spot(LISTING)], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 4, rows: truth(young, RANGE).length });
  await expectBars(LISTING, young);
  const edges = await app.sql.query(
    `SELECT edge, rows FROM coverage WHERE symbol = '${LISTING}' ORDER BY ts`,
  );
  expect(edges.map(({ edge }) => edge)).toEqual(['listing', 'listing', null, null]);
  expect(edges[0]?.['rows']).toBe('0');
});

test('empty hours are proven by the ids around them, and their bars are flat', async () => {
  const result = await rig.backfill(app, [spot(SPARSE)], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 4, rows: 4 });
  await expectBars(SPARSE, sparse);
  expect((await hourBars(SPARSE)).map(({ aggTrades }) => aggTrades)).toEqual([2, 0, 0, 2]);
  const flat = await app.bars.bars(spot(SPARSE), '1m', {
    startMs: DAY + HOUR_MS,
    endMs: DAY + 2 * HOUR_MS,
  });
  expect(flat).toHaveLength(60);
});

test('without a trade after the range the last hour is open, exit code 3; a later run proves it with at most three requests', async () => {
  ending.endsAtMs = RANGE.endMs;
  const result = await rig.backfill(app, [spot(OPEN)], RANGE);
  expect(result).toMatchObject({ exitCode: 3, proven: 3, open: 1, unknown: 0 });
  expect((await hourBars(OPEN)).map(({ status }) => status)).toEqual([
    'final',
    'final',
    'final',
    'partial',
  ]);

  ending.endsAtMs = Infinity;
  rig.exchange.requests.clear();
  expect(await rig.backfill(app, [spot(OPEN)], RANGE)).toMatchObject({ exitCode: 0, proven: 4 });
  expect(rig.exchange.requests.tradeRequests().length).toBeLessThanOrEqual(3);
  await expectBars(OPEN, base);
});

test('stored rows that the exchange does not have are buried and not counted', async () => {
  const series = spot(BOGUS);
  const twin = truth(base, RANGE).find(({ aggId }) => aggId === idIn(base, 1, 60));
  if (twin === undefined) throw new Error('no such trade');
  const bogus = [
    // An id of the exchange at another time, and an id that the exchange does not have in this hour.
    { ...twin, timeUs: twin.timeUs + 1_000_000, qty: '777.00000000' },
    { ...twin, aggId: 9_999_999, timeUs: twin.timeUs + 2_000_000, qty: '888.00000000' },
  ];
  await app.trades.write(series, bogus, AbortSignal.timeout(30_000));

  const result = await rig.backfill(app, [series], RANGE);
  expect(result).toMatchObject({ exitCode: 0, proven: 4, rows: truth(base, RANGE).length });
  await expectBars(BOGUS, base);
  const inTable = await app.sql.query(
    `SELECT agg_id, qty, first_id FROM ${await tradesTable(app.sql, BOGUS)} WHERE first_id < 0 ORDER BY agg_id`,
  );
  expect(inTable).toEqual([
    { agg_id: String(twin.aggId), qty: '0.00000000', first_id: '-2' },
    { agg_id: '9999999', qty: '0.00000000', first_id: '-2' },
  ]);
  const seen = await app.sql.query(
    `SELECT count() AS n, max(agg_id) AS last FROM ${await tradesView(app.sql, BOGUS)}`,
  );
  const last = idIn(base, 4, -1);
  expect(seen).toEqual([{ n: String(truth(base, RANGE).length), last: String(last) }]);
  expect((await gapsOf(BOGUS)).map((gap) => gap['class'])).toEqual([
    'duplicate_id',
    'duplicate_id',
  ]);
  // The same content as in a series that never had a fault.
  const hashOf = async (symbol: string) =>
    (await app.ledger.record(spot(symbol), DAY + HOUR_MS))?.contentHash;
  expect(await hashOf(BOGUS)).toBe(await hashOf(OPEN));
});

test('an hour that ended less than two minutes ago is not requested', async () => {
  const endMs = DAY + HOUR_MS;
  const slice = { ...spot(CLOSING), hourMs: DAY, runId: 'closing' };
  rig.exchange.requests.clear();
  const at = (nowMs: number) => ({ ...app, clock: { ...app.clock, nowMs: () => nowMs } });
  const signal = AbortSignal.timeout(60_000);
  await expect(ingestHour(at(endMs + 119_999), slice, signal)).rejects.toMatchObject({
    code: 'HOUR_NOT_CLOSED',
    exitCode: 2,
  });
  expect(rig.exchange.requests.entries).toEqual([]);
  const outcome = await ingestHour(at(endMs + 120_000), slice, signal);
  expect(outcome.kind === 'recorded' && verdictOf(outcome.record)).toBe('proven');
});
