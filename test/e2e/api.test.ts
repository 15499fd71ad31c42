import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createChartReads } from '../../src/adapters/questdb/chart-reads.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { createTradeReads } from '../../src/adapters/questdb/trade-reads.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { showBars } from '../../src/app/bars/show-bars.ts';
import { createChartData } from '../../src/app/chart/chart-data.ts';
import type { App } from '../../src/cli/compose.ts';
import { parseBarLength } from '../../src/domain/bars/bar-grid.ts';
import { parseAnchor } from '../../src/domain/bars/parse-anchor.ts';
import { marketName, type Series } from '../../src/domain/market.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { parseDecimal } from '../../src/domain/trade/decimal.ts';
import { unique } from '../support/command-line.ts';
import { fillSeries } from '../support/filled-series.ts';
import { type Cells, expectSqlGives, type Json, rowsOf } from '../support/told-sql.ts';
import { type Served, startServe } from '../support/served.ts';
import { openStore } from '../support/store.ts';
import { cm, Rig, spot } from './rig.ts';
import { truth } from './reference.ts';

const START = Date.UTC(2024, 2, 3);
const END = START + 3 * DAY_MS;
const MADE = { fromMs: START, toMs: END };
const BUSY = spot(unique('API'));
const THIN = spot(unique('THIN'));
const COIN = cm(`${unique('COIN')}_PERP`);

let rig: Rig;
let app: App;
let served: Served;
let reader: Sql;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
  reader = createSql(rig.services.questdbReadonlyPgUrl, 1);
  const store = openStore();
  // On the second day the hour 5 has holes, 6 and 7 were never fetched; the last hour is open.
  const hourOf = (hourMs: number) => (hourMs - START) / HOUR_MS;
  const fateOf = (hourMs: number) => {
    const hour = hourOf(hourMs);
    if (hour === 29) return 'holes';
    if (hour === 30 || hour === 31) return 'absent';
    return hour === 71 ? 'open' : 'proven';
  };
  for (const [series, seed, more] of [
    [BUSY, 71, { tradesPerHour: 90 }],
    // A coin so cheap that its sums are beyond what a DOUBLE holds.
    [THIN, 72, { tradesPerHour: 3, cheapCoin: true, typicalLots: 4_000_000_000 }],
    [COIN, 73, { tradesPerHour: 40, qtyDecimals: 0, typicalLots: 20 }],
  ] as const) {
    const range = { startMs: START, endMs: END };
    const trades = truth(syntheticTrades({ seed, ...MADE, ...more }), range, series.market);
    const contract = series === COIN ? { contract: { size: '10.00000000' } } : {};
    await fillSeries(store, { series, trades, originMs: START, fateOf, ...contract });
  }
  await store.close();
  served = await startServe(rig);
}, 300_000);

afterAll(async () => {
  await reader.close();
  await rig.dispose();
});

async function ask(path: string, parameters: Readonly<Record<string, string>>): Promise<Json> {
  const response = await served.ask(`/api/v1${path}?${new URLSearchParams(parameters).toString()}`);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as Json;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function of({ market, symbol }: Series, startMs = START, endMs = END) {
  return { market: marketName(market), symbol, from: iso(startMs), to: iso(endMs) };
}

const DECIMALS = [
  'open',
  'high',
  'low',
  'close',
  'delta',
  'buyVolume',
  'sellVolume',
  'quoteDelta',
  'quoteVolume',
  'priceOpen',
  'priceHigh',
  'priceLow',
  'priceClose',
] as const;

const CASES = [
  { series: BUSY, interval: '1m', anchor: 'day' },
  { series: BUSY, interval: '1h', anchor: 'from' },
  { series: BUSY, interval: '2h', anchor: 'total' },
  { series: BUSY, interval: '1h', anchor: 'session:09:30@America/New_York' },
  { series: BUSY, interval: '15m', anchor: 'rolling:8' },
  { series: BUSY, interval: '4h', anchor: '2024-03-02T04:00Z' },
  { series: BUSY, interval: '1d', anchor: 'week' },
  { series: COIN, interval: '30m', anchor: 'day' },
  { series: COIN, interval: '1h', anchor: 'total' },
  { series: THIN, interval: '5m', anchor: 'day' },
  { series: THIN, interval: '3h', anchor: 'month' },
] as const;

describe.each(CASES)('bars of $series.symbol, $interval from $anchor', (one) => {
  test.each(['first', 'previous'] as const)('with open %s equal those of show', async (open) => {
    const { series, interval, anchor } = one;
    const range = { startMs: START, endMs: END };
    const lengthMs = parseBarLength(interval);
    const parsed = parseAnchor(anchor, timeZones.has);
    const request = { lengthMs, range, anchor: parsed, open };
    const { bars } = await showBars(app, series, request, Date.now());
    const parameters = { ...of(series), interval, anchor, open };
    const exact = await ask('/bars', { ...parameters, exact: 'true' });
    const wanted = bars.map(({ openMs, endMs, levelFromMs, ...bar }) => ({
      time: openMs,
      end: endMs,
      levelFrom: levelFromMs,
      ...bar,
    }));
    expect(exact).toMatchObject({ count: bars.length, next: null, interval, anchor, open });
    expect(bars.length).toBeGreaterThan(0);
    expect(rowsOf(exact['columns'] as Cells)).toEqual(
      wanted.map((bar) => Object.fromEntries(Object.entries(bar).map(([k, v]) => [k, v ?? null]))),
    );
    const { sql } = await ask('/bars', { ...parameters, exact: 'true', sql: 'true' });
    await expectSqlGives(reader, { sql, columns: exact['columns'] as Cells });
    const rounded = await ask('/bars', parameters);
    expect(rowsOf(rounded['columns'] as Cells)).toEqual(
      rowsOf(exact['columns'] as Cells).map((row) => {
        const numbers = DECIMALS.map((name) => [
          name,
          row[name] === null ? null : Number(row[name]),
        ]);
        return { ...row, ...(Object.fromEntries(numbers) as object) };
      }),
    );
  });
});

test.each([BUSY, COIN, THIN])(
  'stored bars of $symbol equal SQL, digit for digit',
  async (series) => {
    const where = `market = '${series.market}' AND symbol = '${series.symbol}'`;
    const names =
      'open, high, low, close, delta, buy_volume, sell_volume, quote_delta, quote_volume, price_open, price_high, price_low, price_close';
    const exact = await reader.query(
      `SELECT ${names} FROM cdv_exact_1h WHERE ${where} AND status <> 'void' ORDER BY ts`,
    );
    const told = await ask('/bars', { ...of(series), interval: '1h', exact: 'true' });
    const columns = told['columns'] as Cells;
    expect(exact.length).toBe(70);
    expect(DECIMALS.map((name) => columns[name])).toEqual(
      names.split(', ').map((name) => exact.map((row) => row[name] ?? null)),
    );
    const doubles = await reader.query(
      `SELECT open, high, low, close, delta, buy_volume, sell_volume, price_close FROM cdv_1h WHERE ${where} ORDER BY ts`,
    );
    const rounded = (await ask('/bars', { ...of(series), interval: '1h' }))['columns'] as Cells;
    for (const name of ['open', 'high', 'low', 'close', 'delta', 'priceClose']) {
      const column = name.replace('C', '_c');
      expect(rounded[name], name).toEqual(
        doubles.map((row) => (row[column] === null ? null : Number(row[column]))),
      );
    }
  },
);

test('bars that are not stored are named, and a level after them says what is missing', async () => {
  const answer = await ask('/bars', { ...of(BUSY), interval: '1h', times: 'iso' });
  expect(answer['missing']).toEqual({
    from: ['2024-03-04T06:00:00.000Z'],
    to: ['2024-03-04T08:00:00.000Z'],
  });
  expect(answer).toMatchObject({ from: iso(START), to: iso(END), unit: 'base' });
  const rows = rowsOf(answer['columns'] as Cells);
  expect(rows.filter(({ status }) => status === 'partial').map(({ time }) => time)).toEqual([
    '2024-03-04T05:00:00.000Z',
    '2024-03-05T23:00:00.000Z',
  ]);
  expect(rows[23]).toMatchObject({ time: '2024-03-03T23:00:00.000Z', levelMissing: 0 });
  expect(rows[31]?.['levelMissing']).toBeGreaterThan(100);
});

test.each([
  ['1m', 'day', 'tiers_exact_1m'],
  ['1h', 'day', 'tiers_exact_1h'],
])(
  'tiers of %s from %s equal SQL; those of a bar add up to it',
  async (interval, anchor, table) => {
    const parameters = { ...of(BUSY), interval, anchor, exact: 'true' };
    const told = await ask('/tiers', parameters);
    const rows = rowsOf(told['columns'] as Cells);
    expect(told['tiers']).toEqual([0, 10_000, 100_000, 1_000_000]);
    const sql = await reader.query(
      `SELECT ts::long / 1000 AS time, tier::long AS tier, open, high, low, close, delta, buy_volume, sell_volume, agg_trades FROM ${table} WHERE symbol = '${BUSY.symbol}' AND market = 'binance_spot' AND status <> 'void' ORDER BY ts, tier::long`,
    );
    expect(rows.length).toBeGreaterThan(200);
    const names = [
      'time',
      'tier',
      'open',
      'high',
      'low',
      'close',
      'delta',
      'buyVolume',
      'sellVolume',
    ];
    expect(rows.map((row) => [...names, 'aggTrades'].map((name) => String(row[name])))).toEqual(
      sql.map((row) => Object.values(row)),
    );
    const only = await ask('/tiers', { ...parameters, tier: '10000' });
    expect(rowsOf(only['columns'] as Cells)).toEqual(rows.filter(({ tier }) => tier === 10_000));
  },
);

test.each([
  ['2h', 'from', 'first'],
  ['15m', 'session:09:30@America/New_York', 'first'],
  ['1d', 'week', 'previous'],
  ['1m', 'day', 'previous'],
])('tiers of %s from %s add up to the bars', async (interval, anchor, open) => {
  const parameters = { ...of(BUSY), interval, anchor, open, exact: 'true' };
  for (const [series, tier] of [
    [BUSY, '0'],
    [BUSY, '1000000'],
    [THIN, '10000'],
  ] as const) {
    const told = await ask('/tiers', { ...parameters, ...of(series), tier, sql: 'true' });
    await expectSqlGives(reader, { sql: told['sql'], columns: told['columns'] as Cells });
  }
  const bars = rowsOf((await ask('/bars', parameters))['columns'] as Cells);
  const tiers = rowsOf((await ask('/tiers', parameters))['columns'] as Cells);
  const byTime = Map.groupBy(tiers, ({ time }) => time);
  const e8 = (value: unknown) => parseDecimal(String(value), 8);
  const sum = (rows: readonly Json[], name: string) =>
    rows.reduce((total, row) => total + e8(row[name]), 0n);
  for (const bar of bars) {
    const parts = byTime.get(bar['time']) ?? [];
    expect(parts).toHaveLength(4);
    for (const name of ['close', 'delta', 'buyVolume', 'sellVolume'])
      expect(sum(parts, name)).toBe(e8(bar[name]));
    expect(new Set(parts.map(({ status }) => status))).toEqual(new Set([bar['status']]));
    expect(new Set(parts.map(({ levelMissing }) => levelMissing))).toEqual(
      new Set([bar['levelMissing']]),
    );
  }
});

test('coverage has the verdict of each hour, gaps their evidence', async () => {
  const range = { ...of(BUSY, START - HOUR_MS), sql: 'true' };
  const { columns, sql } = (await ask('/coverage', range)) as { columns: Cells; sql: string };
  const hour = (index: number) => START + index * HOUR_MS;
  const [[view]] = [
    await reader.query(
      `SELECT missing FROM coverage WHERE symbol = '${BUSY.symbol}' AND verdict = 'gap'`,
    ),
  ];
  const missing = Number(view?.['missing']);
  expect(missing).toBeGreaterThan(10);
  expect(rowsOf(columns)).toEqual([
    { from: hour(-1), to: hour(0), verdict: 'unknown', missing: null },
    { from: hour(0), to: hour(29), verdict: 'proven', missing: 0 },
    { from: hour(29), to: hour(30), verdict: 'gap', missing },
    { from: hour(30), to: hour(32), verdict: 'unknown', missing: null },
    { from: hour(32), to: hour(71), verdict: 'proven', missing: 0 },
    { from: hour(71), to: hour(72), verdict: 'open', missing: 0 },
  ]);
  const gaps = await ask('/gaps', range);
  expect(rowsOf(gaps['columns'] as Cells)).toMatchObject([
    { hour: hour(29), class: 'missing_ids', evidence: 'asked three times' },
  ]);
  await expectSqlGives(reader, { sql: gaps['sql'], columns: gaps['columns'] as Cells });
  const hours = await reader.query(sql);
  expect(hours.map(({ verdict }) => verdict)).toEqual([
    ...Array.from({ length: 29 }, () => 'proven'),
    'gap',
    ...Array.from({ length: 39 }, () => 'proven'),
    'open',
  ]);
});

test('series are listed with what is known of them', async () => {
  const lost = unique('LOST');
  await app.sql.query(
    `INSERT INTO slices (ts, market, symbol, rows, first_id, first_ts, last_id, last_ts, next_id, next_ts) VALUES ('2024-03-03', 'binance_spot', '${lost}', 1, 0, '2024-03-03', 0, '2024-03-03', 1, '2024-03-04')`,
  );
  await app.sql.waitApplied('slices');
  const { series, sql } = (await ask('/series', { times: 'iso', sql: 'true' })) as {
    series: Json[];
    sql: string;
  };
  const symbols = [BUSY, THIN, COIN].map(({ symbol }) => symbol);
  const ours = series.filter(({ symbol }) => symbols.includes(String(symbol)));
  expect(ours.map(({ market }) => market)).toEqual(['cm', 'spot', 'spot']);
  expect(ours.find(({ symbol }) => symbol === BUSY.symbol)).toEqual({
    market: 'spot',
    symbol: BUSY.symbol,
    unit: 'base',
    contractSize: null,
    from: iso(START),
    to: iso(END),
    provenTo: iso(END - HOUR_MS),
    origin: iso(START),
    hours: { proven: 68, open: 1, gap: 1, unknown: 2 },
    rows: expect.any(Number) as number,
    isScheduled: false,
  });
  const found = (await reader.query(sql)).find(({ symbol }) => symbol === BUSY.symbol);
  expect(found).toMatchObject({ proven: '68', open: '1', gap: '1', unknown: '2' });
  // Many pages may ask at once when bars are built.
  const asked = Array.from({ length: 150 }, async () => served.ask('/api/v1/series'));
  expect(new Set((await Promise.all(asked)).map((answer) => answer.status))).toEqual(
    new Set([200]),
  );
  expect(series.find(({ symbol }) => symbol === lost)).toMatchObject({ origin: null, rows: 1 });
});

describe('a question that can’t be answered', () => {
  const RANGE = 'from=2024-03-03&to=2024-03-04';
  test.each([
    ['/bars', 400, 'USAGE', 'the parameter symbol is missing'],
    [`/bars?symbol=A B&${RANGE}`, 400, 'USAGE', '"A B" is not a symbol'],
    [`/bars?symbol=X&symbol=Y&${RANGE}`, 400, 'USAGE', 'the parameter "symbol" is given twice'],
    [`/bars?symbol=X&${RANGE}&limit=1`, 400, 'USAGE', 'there is no parameter "limit" here'],
    [`/bars?symbol=X&${RANGE}&exact=1`, 400, 'USAGE', 'exact "1" is not possible'],
    [`/bars?symbol=X&${RANGE}&interval=7m`, 400, 'USAGE', 'interval "7m" neither'],
    [`/bars?symbol=X&${RANGE}&anchor=noon`, 400, 'BAD_TIME', 'anchor "noon"'],
    [`/bars?symbol=X&${RANGE}&anchor=2017-08-01`, 400, 'BAD_RANGE', 'at most 600000 bars of 1m'],
    [`/tiers?symbol=X&${RANGE}&anchor=2023-08-01`, 400, 'BAD_RANGE', 'at most 600000 bars of 1m'],
    [`/tiers?symbol=X&${RANGE}&sql=true`, 400, 'USAGE', 'the bars of one tier'],
    [`/bars?symbol=X&${RANGE}&anchor=session:10:00@EST&sql=true`, 400, 'USAGE', 'time zone EST'],
    [
      `/bars?symbol=X&from=2024-03-03T00:30Z&to=2024-03-04&interval=1h&anchor=from`,
      400,
      'USAGE',
      'a bar straddles from',
    ],
    ['/bars?symbol=X&from=soon&to=2024-03-04', 400, 'BAD_TIME', 'from "soon"'],
    ['/gaps?symbol=X&from=2024-03-04&to=2024-03-04', 400, 'BAD_RANGE', 'is not before'],
    ['/gaps?symbol=X&from=2016-03-04&to=2024-03-04', 400, 'BAD_RANGE', 'before 2017'],
    ['/gaps?symbol=X&from=20240304&to=2024-03-04', 400, 'BAD_RANGE', 'before 2017'],
    ['/gaps?symbol=X&from=9999-03-04&to=9999-03-05', 400, 'BAD_RANGE', 'in the future'],
    [`/bars?symbol=NOSUCH&${RANGE}`, 404, 'UNKNOWN_SYMBOL', 'no data of NOSUCH (spot) is stored'],
    [`/tiers?symbol=X&${RANGE}&anchor=total`, 400, 'USAGE', 'tiers have no continuous level'],
    [`/tiers?symbol=X&${RANGE}&tier=-1`, 400, 'USAGE', 'tier "-1" is not possible'],
    [`/bars?symbol=X&${RANGE}&columns=time,worth`, 400, 'USAGE', 'there is no column "worth" here'],
    [`/tiers?symbol=X&${RANGE}&columns=`, 400, 'USAGE', 'there is no column "" here'],
    [`/coverage?symbol=NOSUCH&${RANGE}`, 404, 'UNKNOWN_SYMBOL', 'no data of NOSUCH'],
    [`/gaps?symbol=NOSUCH&${RANGE}`, 404, 'UNKNOWN_SYMBOL', 'no data of NOSUCH'],
    ['/nothing', 404, 'USAGE', 'there is no /api/v1/nothing'],
  ])('%s is %d %s', async (path, status, code, words) => {
    const response = await served.ask(`/api/v1${path}`);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: Json };
    expect(error).toMatchObject({ code, retryable: false });
    expect(error['message']).toContain(words);
    expect(error['advice']).not.toBe('');
  });

  test('only GET is possible, and only with the password', async () => {
    const response = await served.ask('/api/v1/series', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect((await fetch(`${served.url}/api/v1/series`)).status).toBe(401);
  });
});

test('an answer is packed when asked for, and has a tag', async () => {
  const path = `/api/v1/gaps?${new URLSearchParams(of(BUSY)).toString()}`;
  const plain = await served.ask(path, { headers: { 'Accept-Encoding': 'identity' } });
  const tag = plain.headers.get('etag') ?? '';
  expect(plain.headers.get('cache-control')).toBe('private, no-cache');
  const again = await served.ask(path, { headers: { 'If-None-Match': `"x", ${tag}` } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  const bars = `/api/v1/bars?${new URLSearchParams(of(BUSY)).toString()}`;
  for (const encoding of ['br', 'gzip']) {
    const packed = await served.ask(bars, { headers: { 'Accept-Encoding': encoding } });
    expect(packed.headers.get('content-encoding')).toBe(encoding);
    expect(await packed.json()).toMatchObject({ symbol: BUSY.symbol });
  }
});

describe('a tag of bars', () => {
  const HELD = spot(unique('TAG'));
  const from = floorTo(Date.now(), DAY_MS) - DAY_MS;
  const to = from + 3 * DAY_MS;
  let store: ReturnType<typeof openStore>;
  /** The day before this one, in which a later build finds more trades. */
  const trades = truth(
    syntheticTrades({ seed: 74, fromMs: from, toMs: from + 30 * HOUR_MS, tradesPerHour: 20 }),
    { startMs: from, endMs: from + 30 * HOUR_MS },
  );
  const fill = (fate: 'holes' | 'proven') => {
    const fateOf = (hourMs: number) => (hourMs === from + 3 * HOUR_MS ? fate : 'proven');
    return fillSeries(store, { series: HELD, trades, originMs: from, fateOf });
  };
  const path = (anchor: string, startMs = from, endMs = from + DAY_MS) => {
    const range = { symbol: HELD.symbol, from: iso(startMs), to: iso(endMs), interval: '1h' };
    return `/api/v1/bars?${new URLSearchParams({ ...range, anchor }).toString()}`;
  };
  const tagOf = async (url: string) => (await served.ask(url)).headers.get('etag');
  const statusWith = async (url: string, tag: string | null) =>
    (await served.ask(url, { headers: { 'If-None-Match': tag ?? '' } })).status;

  beforeAll(async () => {
    store = openStore();
    await fill('holes');
  });

  afterAll(async () => store.close());

  test('holds until a day is built again, and not while it is being written', async () => {
    const anchors = ['day', 'total', 'from'];
    const before = await Promise.all(anchors.map((anchor) => tagOf(path(anchor))));
    expect(before).not.toContain(null);
    for (const [index, anchor] of anchors.entries())
      expect(await statusWith(path(anchor), before[index] ?? null)).toBe(304);
    const day = { series: HELD, day: { ...STAMP, dayMs: from, levelFromMs: from } };
    await store.bars.begin([day], Date.now());
    await store.sql.waitApplied('bar_days');
    expect(await tagOf(path('day'))).toBeNull();
    expect(await statusWith(path('day'), before[0] ?? null)).toBe(200);
    const statuses = async () => {
      const { columns } = (await (await served.ask(path('day'))).json()) as { columns: Cells };
      return new Set(columns['status']);
    };
    expect(await statuses()).toEqual(new Set(['final', 'partial']));
    await fill('proven');
    expect(await statuses()).toEqual(new Set(['final']));
    for (const [index, anchor] of anchors.entries()) {
      expect(await statusWith(path(anchor), before[index] ?? null)).toBe(200);
      expect(await statusWith(path(anchor), await tagOf(path(anchor)))).toBe(304);
    }
  });

  test('changes when only a midnight base, or only the ledger changes, where levels need it', async () => {
    const urls = ['day', 'total', 'week'].map((anchor) => path(anchor));
    const first = await Promise.all(urls.map(tagOf));
    await store.bars.writeMidnightBases(HELD, from, [{ dayMs: from, baseE8: 7n, missing: 0 }]);
    const second = await Promise.all(urls.map(tagOf));
    expect(second.map((tag, index) => tag === first[index])).toEqual([true, false, true]);
    const [record] = await store.ledger.records(HELD, { startMs: from, endMs: from + HOUR_MS });
    if (record === undefined) throw new Error('no first hour');
    await store.ledger.write([{ record: { ...record, prev: undefined }, gaps: [] }], Date.now());
    const third = await Promise.all(urls.map(tagOf));
    expect(third.map((tag, index) => tag === second[index])).toEqual([true, true, false]);
  });

  test('changes when a forming bar ends', async () => {
    const clock = { nowMs: () => nowMs };
    let nowMs = from + 29.5 * HOUR_MS;
    const sql = createSql(rig.services.questdbReadonlyPgUrl, 1);
    const data = createChartData({
      ...app,
      bars: store.bars,
      ledger: store.ledger,
      series: async () => ({ rows: [], sql: '' }),
      reads: createChartReads(sql),
      trades: createTradeReads(sql),
      clock: { ...systemClock, ...clock },
    });
    const question = () =>
      data.bars(HELD, {
        lengthMs: HOUR_MS,
        range: { startMs: from, endMs: to },
        anchor: { kind: 'day' },
        open: 'first',
      });
    const before = await question().tag();
    nowMs += 60_000;
    expect(await question().tag()).toBe(before);
    nowMs = from + 30 * HOUR_MS;
    expect(await question().tag()).not.toBe(before);
    await sql.close();
  });
});

const STAMP = {
  inputs: '',
  rows: 0,
  idStart: 0,
  idEnd: 0,
  missing: 0,
  deltaE8: 0n,
  volumeE8: 0n,
  hours: [],
};
