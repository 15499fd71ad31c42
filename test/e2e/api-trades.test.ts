import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENDPOINTS } from '../../src/adapters/http/api/routes.ts';
import { showBars } from '../../src/app/bars/show-bars.ts';
import type { App } from '../../src/cli/compose.ts';
import { marketName, type Series } from '../../src/domain/market.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { unique } from '../support/command-line.ts';
import { fillSeries } from '../support/filled-series.ts';
import { expectSqlGives } from '../support/told-sql.ts';
import { type Served, startServe } from '../support/served.ts';
import { openStore, tradesView } from '../support/store.ts';
import { truth } from './reference.ts';
import { cm, Rig, spot } from './rig.ts';

const START = Date.UTC(2025, 2, 3);
const END = START + DAY_MS;
const BUSY = spot(unique('FOOT'));
const COIN = cm(`${unique('FOOT')}_PERP`);
const made = (
  series: Series,
  seed: number,
  more: Omit<Parameters<typeof syntheticTrades>[0], 'seed' | 'fromMs' | 'toMs'>,
) =>
  truth(
    syntheticTrades({ seed, fromMs: START, toMs: END, ...more }),
    { startMs: START, endMs: END },
    series.market,
  );
const TRADES = new Map([
  [BUSY, made(BUSY, 81, { tradesPerHour: 1_300 })],
  [COIN, made(COIN, 82, { tradesPerHour: 60, qtyDecimals: 0, typicalLots: 20 })],
]);

let rig: Rig;
let app: App;
let served: Served;
let reader: Sql;

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
  reader = createSql(rig.services.questdbReadonlyPgUrl, 1);
  const store = openStore();
  for (const [series, trades] of TRADES) {
    const contract = series === COIN ? { contract: { size: '10.00000000' } } : {};
    await fillSeries(store, { series, trades, originMs: START, ...contract });
  }
  await store.bars.restate(BUSY, [
    {
      hourMs: START + HOUR_MS,
      what: 'bars',
      oldLevel: '1.50000000',
      newLevel: undefined,
      reason: 'hour 01 has other trades',
      seenAtMs: END,
    },
  ]);
  await store.close();
  served = await startServe(rig);
}, 300_000);

afterAll(async () => {
  await reader.close();
  await rig.dispose();
});

type Row = Readonly<Record<string, unknown>>;

interface Told {
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
  readonly count: number;
  readonly next: string | null;
  readonly bin: string;
  readonly unit: string;
  readonly sql?: string;
}

function of({ market, symbol }: Series, startMs = START, endMs = END) {
  const iso = (timeMs: number) => new Date(timeMs).toISOString();
  return { market: marketName(market), symbol, from: iso(startMs), to: iso(endMs) };
}

async function follow(path: string): Promise<Told> {
  const response = await served.ask(path);
  expect(response.status, await response.clone().text()).toBe(200);
  const told = (await response.json()) as Told;
  // The delta of a trade is its quantity with a sign.
  if (told.sql !== undefined)
    await expectSqlGives(reader, told, path.includes('/trades') ? ['delta'] : []);
  return told;
}

const ask = async (path: string, parameters: Readonly<Record<string, string>>) =>
  follow(`/api/v1${path}?${new URLSearchParams({ exact: 'true', ...parameters }).toString()}`);

function rowsOf({ columns, count }: Told): Row[] {
  return Array.from({ length: count }, (_, index) =>
    Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cells[index]])),
  );
}

/** Every part of an answer. */
async function allRows(first: Told): Promise<Row[]> {
  const rows = rowsOf(first);
  for (let told = first; told.next !== null;) {
    told = await follow(told.next);
    expect(told.count).toBeGreaterThan(0);
    rows.push(...rowsOf(told));
  }
  return rows;
}

/** The cells of trades, added up one by one. */
function cellsOf(trades: readonly AggTrade[], lengthMs: number, bin: string): Row[] {
  const binE8 = parseDecimal(bin, 8);
  const cells = new Map<string, { buy: bigint; sell: bigint; aggTrades: number }>();
  for (const { timeUs, price, qty, isBuyerMaker } of trades) {
    const time = floorTo(timeUs / 1000, lengthMs);
    const priceE8 = parseDecimal(price, 8);
    const key = `${time} ${String(priceE8 - (priceE8 % binE8)).padStart(20)}`;
    const cell = cells.get(key) ?? { buy: 0n, sell: 0n, aggTrades: 0 };
    cell[isBuyerMaker ? 'sell' : 'buy'] += parseDecimal(qty, 8);
    cells.set(key, { ...cell, aggTrades: cell.aggTrades + 1 });
  }
  return [...cells]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, { buy, sell, aggTrades }]) => ({
      time: Number(key.split(' ')[0]),
      price: formatDecimal(BigInt(key.slice(key.indexOf(' ')).trim()), 8),
      buy: formatDecimal(buy, 8),
      sell: formatDecimal(sell, 8),
      aggTrades,
    }));
}

test.each([
  [BUSY, '15m', '5', 15 * 60_000],
  [BUSY, '2h', '0.25', 2 * HOUR_MS],
  [COIN, '1h', '10', HOUR_MS],
])('a footprint has every trade in its cell: %o %s %s', async (series, interval, bin, lengthMs) => {
  const told = await ask('/footprint', { ...of(series), interval, bin, sql: 'true' });
  const rows = await allRows(told);
  expect(rows).toEqual(cellsOf(TRADES.get(series) ?? [], lengthMs, bin));
  expect(told.unit).toBe(series === COIN ? 'contracts' : 'base');
});

test('a footprint of too many cells is given in parts, of the same bins', async () => {
  const told = await ask('/footprint', { ...of(BUSY), interval: '1m', bin: '0.01', sql: 'true' });
  const rows = await allRows(told);
  const wanted = cellsOf(TRADES.get(BUSY) ?? [], 60_000, '0.01');
  expect(wanted.length).toBeGreaterThan(20_000);
  expect(told.count).toBeLessThanOrEqual(20_000);
  expect(rows).toEqual(wanted);
});

test('a bin that is chosen by itself gives some twenty cells a bar', async () => {
  const told = await ask('/footprint', { ...of(BUSY), interval: '1h' });
  expect(told.bin).toMatch(/^0*\.?0*[125]0*(\.0+)?$/);
  expect(told.count / 24).toBeGreaterThan(8);
  expect(told.count / 24).toBeLessThan(30);
});

test('a profile has every trade in its bin', async () => {
  const told = await ask('/profile', { ...of(BUSY), sql: 'true' });
  const trades = TRADES.get(BUSY) ?? [];
  const wanted = cellsOf(trades, DAY_MS, told.bin);
  expect(rowsOf(told)).toEqual(wanted.map(({ time: _time, ...bin }) => bin));
  expect(told.count).toBeGreaterThan(15);
  expect(told.count).toBeLessThan(80);
  const part = await ask('/profile', { ...of(BUSY, START + 1, START + 90_001), bin: '1' });
  const inside = trades.filter(
    ({ timeUs }) => timeUs >= (START + 1) * 1000 && timeUs < (START + 90_001) * 1000,
  );
  expect(rowsOf(part)).toEqual(cellsOf(inside, DAY_MS, '1').map(({ time: _time, ...bin }) => bin));
});

test('a range in which no bar begins has bins of a sensible width, too', async () => {
  const range = of(BUSY, START + HOUR_MS + 5_000, START + HOUR_MS + 50_000);
  const told = await ask('/profile', { ...range, bin: 'auto' });
  expect(Number(told.bin)).toBeGreaterThan(0.001);
});

test('trades come in the order of ids, in parts, with their microseconds', async () => {
  const trades = TRADES.get(BUSY) ?? [];
  const told = await ask('/trades', { ...of(BUSY), sql: 'true' });
  expect([told.count, trades.length > 20_000]).toEqual([10_000, true]);
  const rows = await allRows(told);
  expect(rows).toEqual(
    trades.map(({ aggId, timeUs, price, qty, firstId, lastId, isBuyerMaker }) => {
      const [priceText, qtyText] = [price, qty].map((text) =>
        formatDecimal(parseDecimal(text, 8), 8),
      );
      return {
        aggId,
        time: timeUs / 1000,
        timeUs,
        price: priceText,
        qty: qtyText,
        side: isBuyerMaker ? 'sell' : 'buy',
        firstId,
        lastId,
        delta: isBuyerMaker ? `-${qtyText}` : qtyText,
      };
    }),
  );
  const [first] = rowsOf(await ask('/trades', { ...of(BUSY), times: 'iso' }));
  const micros = trades[0]?.timeUs ?? 0;
  const wanted = new Date(micros / 1000).toISOString().replace('Z', String(micros).slice(-3));
  expect(first?.['time']).toBe(`${wanted}Z`);
  const view = await tradesView(app.sql, BUSY.symbol);
  const [sum] = await app.sql.query(`SELECT count() AS n FROM ${view}`);
  expect(Number(sum?.['n'])).toBe(rows.length);
});

test('more than 50,000 bars come in parts, whose levels go on counting', async () => {
  const range = { startMs: START - 49_000 * MINUTE_MS, endMs: END };
  const parameters = { ...of(BUSY, range.startMs), interval: '1m', anchor: 'from' };
  const told = await ask('/bars', parameters);
  // As far as the 50,000th minute, stored or not.
  expect(told.count).toBe(1_000);
  expect(told).toMatchObject({ missing: { from: [range.startMs], to: [START] } });
  const request = { range, lengthMs: MINUTE_MS, anchor: { kind: 'from' }, open: 'first' } as const;
  const { bars } = await showBars(app, BUSY, request, Date.now());
  expect(bars.length).toBe(1_440);
  const rows = await allRows(told);
  expect(rows.map(({ time, close, levelFrom }) => [time, close, levelFrom])).toEqual(
    bars.map(({ openMs, close, levelFromMs }) => [openMs, close, levelFromMs]),
  );
});

test.each([
  ['/bars', '1m', 'day', 'time,open,high,low,close,delta'],
  ['/bars', '1h', 'day', 'end,status,levelFrom,levelMissing,firstId,priceLow,quoteDelta,trades'],
  ['/bars', '1h', 'from', 'close,time,buyVolume'],
  ['/tiers', '1h', 'day', 'tier,close'],
])('%s of %s from %s has only the columns %s', async (path, interval, anchor, list) => {
  const given = { ...of(BUSY), interval, anchor };
  const all = await ask(path, given);
  const some = await ask(path, { ...given, columns: list });
  const names = new Set(list.split(','));
  const wanted = Object.entries(all.columns).filter(([name]) => names.has(name));
  expect(wanted).toHaveLength(names.size);
  expect(some).toEqual({ ...all, columns: Object.fromEntries(wanted) });
});

test('restated levels are told with their reason', async () => {
  expect(rowsOf(await ask('/restatements', { ...of(BUSY), sql: 'true' }))).toEqual([
    {
      hour: START + HOUR_MS,
      what: 'bars',
      oldLevel: '1.50000000',
      newLevel: null,
      reason: 'hour 01 has other trades',
      seen: END,
    },
  ]);
});

test.each(['/footprint', '/profile'])(
  '%s of more than 5 million trades is refused, with how long a range can be',
  async (path) => {
    const series = spot(unique('MANY'));
    const records = await app.ledger.records(BUSY, { startMs: START, endMs: END });
    const entries = records.map((record) => ({
      record: { ...record, symbol: series.symbol, rows: 250_000 },
      gaps: [],
    }));
    expect(entries).toHaveLength(24);
    await app.ledger.write(entries, Date.now());
    await app.sql.waitApplied('slices');
    const query = new URLSearchParams(of(series)).toString();
    const response = await served.ask(`/api/v1${path}?${query}`);
    expect(response.status, await response.clone().text()).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        code: 'BAD_RANGE',
        message:
          'the hours of the range have 6000000 trades; an answer is computed from at most 5000000',
        advice: 'Ask for at most about 20 h of this series at a time.',
        retryable: false,
      },
    });
    const fitting = await ask(path, of(series, START, START + 20 * HOUR_MS));
    expect(fitting.count).toBe(0);
  },
);

test.each([
  ['/trades', { to: '2025-03-04T00:01Z' }, 'the range is longer than a day'],
  ['/trades', { afterId: 'x' }, 'afterId "x" is not possible'],
  ['/footprint', { bin: '0' }, 'bin "0" is not possible'],
  ['/footprint', { bin: '-1' }, 'bin "-1" is not possible'],
  ['/profile', { bin: '0.000000001' }, 'is not possible'],
  ['/footprint', { interval: '7m' }, 'interval "7m" neither'],
])('%s refuses %o', async (path, more, words) => {
  const parameters = new URLSearchParams({ ...of(BUSY), ...more });
  const response = await served.ask(`/api/v1${path}?${parameters.toString()}`);
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { error: { message: string } };
  expect(error.message).toContain(words);
});

test('/openapi.json has the stream of events, with its parameter and type', async () => {
  const document = (await (await served.ask('/api/v1/openapi.json')).json()) as OpenApi;
  const { get } = document.paths['/events'] ?? {};
  expect(get?.parameters).toMatchObject([{ name: 'series', required: false, explode: true }]);
  expect(Object.keys(get?.responses ?? {})).toEqual(['200', '400', '401', '503']);
  const [type = ''] = Object.keys(get?.responses['200'].content ?? {});
  const leaving = new AbortController();
  const query = new URLSearchParams({ series: `spot:${BUSY.symbol}` }).toString();
  const events = await served.ask(`/api/v1/events?${query}`, { signal: leaving.signal });
  expect([events.status, events.headers.get('content-type')]).toEqual([200, type]);
  leaving.abort();
});

test('every answer has the form that /openapi.json says', async () => {
  const response = await served.ask('/api/v1/openapi.json');
  const document = (await response.json()) as OpenApi;
  expect(document.openapi).toBe('3.1.0');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const paths = Object.entries(document.paths);
  expect(paths.map(([path]) => path)).toEqual([...ENDPOINTS.map(({ path }) => path), '/events']);
  for (const [path, { get }] of paths.slice(0, -1)) {
    const isForm = ajv.compile(get.responses['200'].content['application/json'].schema);
    const takes = (name: string) => get.parameters.some((one) => one.name === name);
    for (const [exact, times] of [
      ['true', 'iso'],
      ['false', 'ms'],
    ] as const) {
      const all = { ...of(BUSY), exact, times, tier: '0', sql: 'true' };
      const given = Object.entries(all).filter(([name]) => takes(name));
      const query = new URLSearchParams(given).toString();
      const told: unknown = await (await served.ask(`/api/v1${path}?${query}`)).json();
      isForm(told);
      expect(isForm.errors, path).toBeNull();
    }
  }
});

interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get: {
          readonly parameters: readonly { readonly name: string }[];
          readonly responses: {
            readonly '200': {
              readonly content: { readonly 'application/json': { readonly schema: object } };
            };
          };
        };
      }
    >
  >;
}
