import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { createApi, ENDPOINTS } from '../../src/adapters/http/api/routes.ts';
import { createChartReads } from '../../src/adapters/questdb/chart-reads.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createLimitedSql } from '../../src/adapters/questdb/limited-sql.ts';
import { createPrunings } from '../../src/adapters/questdb/prunings.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { QuestdbStoredBars } from '../../src/adapters/questdb/stored-bars.ts';
import { createTradeReads } from '../../src/adapters/questdb/trade-reads.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { createStoredSeries } from '../../src/app/chart/stored-series.ts';
import { createChartData } from '../../src/app/chart/chart-data.ts';
import { createChartEvents } from '../../src/app/chart/chart-events.ts';
import { silentLog } from '../support/store.ts';

/** Nobody listens at port 9: a question that asks the store is answered with STORE_UNREACHABLE. */
const sql = createLimitedSql('postgresql://nobody:none@127.0.0.1:9/qdb', {
  queryMs: 1_000,
  running: 1,
  waiting: 10,
});
const reads = createChartReads(sql);
const data = createChartData({
  bars: new QuestdbStoredBars(sql),
  ledger: createLedger(sql),
  series: createStoredSeries({
    ledger: createLedger(sql),
    catalogue: createSeriesCatalogue(sql),
    reads,
  }),
  prunings: createPrunings(sql),
  reads,
  trades: createTradeReads(sql),
  zones: timeZones,
  clock: systemClock,
});
const api = createApi({
  dataFor: () => data,
  events: createChartEvents({
    reads,
    status: async () => Promise.reject(new Error('the status was asked')),
    clock: systemClock,
    log: silentLog,
  }),
  zones: timeZones,
  clock: systemClock,
  version: '1',
  log: silentLog,
});

afterAll(async () => sql.close());

type Query = readonly (readonly [name: string, value: string])[];

const searchOf = (pairs: Query) =>
  new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString();

const RANGE: Query = [
  ['symbol', 'BTCUSDT'],
  ['from', '2024-01-01'],
  ['to', '2024-01-02'],
];
const OF_RANGE = ENDPOINTS.filter(({ parameters }) => 'symbol' in parameters.shape);

const with_ = (name: string, value: string): Query => [
  ...RANGE.filter(([known]) => known !== name),
  [name, value],
];
const text = fc.string({ unit: 'binary', maxLength: 80 });
/** Any text, and texts that are almost right. */
const not = (valid: RegExp, ...near: readonly string[]) =>
  fc
    .oneof(fc.constantFrom('', ' ', '0', '-1', 'null', '1e9', '%00', "'", ...near), text)
    .filter((value) => !valid.test(value.trim()));

const BAD_VALUES: Readonly<Record<string, fc.Arbitrary<string>>> = {
  market: not(/^(spot|um|cm)$/, 'SPOT', 'binance_spot'),
  symbol: not(/^[\p{L}\p{M}\p{N}./_-]+$/u, 'BTC USDT', "' OR 1=1 --", 'A'.repeat(31)),
  from: not(/^-?\d{5,}$|^\d{4}-\d\d/, 'now', '2024', '2024-13-01x', '2024/01/01'),
  to: not(/^-?\d{5,}$|^\d{4}-\d\d/, 'now', '2024-1-1', '1.5e12'),
  exact: not(/^(true|false)$/, 'TRUE', '1', 'yes'),
  times: not(/^(ms|iso)$/, 'us', 'ISO'),
  open: not(/^(first|previous)$/, 'First'),
  sql: not(/^(true|false)$/, 'select 1'),
  interval: not(/^[1-9]\d{0,3}[mhdw]$/, '7m', '1s', '1.5h', '0m', '99999d', 'auto'),
  anchor: not(
    /^(from|day|week|month|total|session|rolling|\d{4}-\d\d)/,
    'session:24:00@UTC',
    'rolling:0',
    'noon',
  ),
  bin: not(/^(auto|\d{1,10}(\.\d{1,8})?)$/, '-1', '1e3', '0.000000001', 'Auto'),
  columns: not(/^(time|close)(,(time|close))*$/, 'time,', 'Time', 'time;close', 'toString'),
  tier: not(/^\d{1,15}$/, '-5', '1.0', '01'),
  afterId: not(/^\d{1,15}$/, '-5', '9'.repeat(17)),
};

/** Ranges that can’t be. */
const BAD_RANGE: Query[] = [
  [
    ['from', '2024-01-02'],
    ['to', '2024-01-02'],
  ],
  [
    ['from', '2024-01-03'],
    ['to', '2024-01-02'],
  ],
  [
    ['from', '2016-12-31'],
    ['to', '2024-01-02'],
  ],
  [
    ['from', '9999-01-01'],
    ['to', '9999-01-02'],
  ],
  [
    ['from', '1'.repeat(20)],
    ['to', '2024-01-02'],
  ],
  [
    ['from', '2024-02-30'],
    ['to', '2024-03-02'],
  ],
];

const query = fc.constantFrom(...OF_RANGE).chain(({ path, parameters }) => {
  const names = Object.keys(parameters.shape);
  const bad = names.filter((name) => name in BAD_VALUES);
  return fc
    .oneof(
      fc
        .constantFrom(...bad)
        .chain((name) => (BAD_VALUES[name] ?? text).map((value) => with_(name, value))),
      text.filter((name) => !names.includes(name)).map((name): Query => [...RANGE, [name, 'x']]),
      fc
        .constantFrom('__proto__', 'constructor', 'toString', 'limit')
        .map((name): Query => [...RANGE, [name, '1']]),
      fc.constantFrom(...RANGE).map((pair): Query => [...RANGE, pair]),
      fc.constantFrom(...RANGE).map(([name]): Query => RANGE.filter(([known]) => known !== name)),
      fc.constantFrom(...BAD_RANGE).map((range): Query => [['symbol', 'BTCUSDT'], ...range]),
    )
    .map((pairs) => ({ path, pairs }));
});

const other = fc.oneof(
  fc.record({
    path: text.map((name) => `/x${encodeURIComponent(name)}`),
    pairs: fc.constant(RANGE),
  }),
  fc.record({
    path: fc.constantFrom('/status', '/series', '/events'),
    pairs: text
      .filter((name) => !['times', 'series'].includes(name))
      .map((name): Query => [[name, '']]),
  }),
  fc.record({
    path: fc.constant('/events'),
    pairs: text
      .filter((value) => !/^(spot|um|cm):/.test(value))
      .map((value): Query => [['series', value]]),
  }),
);

test('1,000 malformed queries are refused with a code, and nothing asks the store', async () => {
  const seen = new Map<string, number>();
  const malformed = fc.oneof({ arbitrary: query, weight: 9 }, { arbitrary: other, weight: 1 });
  const property = fc.asyncProperty(malformed, async ({ path, pairs }) => {
    const search = searchOf(pairs);
    const response = await api.request(`${path}?${search}`);
    const body = (await response.json()) as { error: { code: string; advice: string } };
    const { code, advice } = body.error;
    expect([400, 404]).toContain(response.status);
    expect(['USAGE', 'BAD_TIME', 'BAD_RANGE']).toContain(code);
    expect(advice).not.toBe('');
    seen.set(code, (seen.get(code) ?? 0) + 1);
  });
  await fc.assert(property, { numRuns: 1_000, seed: 20_240_101 });
  expect([...seen.keys()].toSorted()).toEqual(['BAD_RANGE', 'BAD_TIME', 'USAGE']);
});

test('a value of 1,001 characters is refused and not repeated', async () => {
  for (const [name] of RANGE) {
    const response = await api.request(`/bars?${searchOf(with_(name, 'A'.repeat(1_001)))}`);
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(text).toContain(`${name} has more than 1000 characters`);
    expect(text.length).toBeLessThan(400);
  }
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
  '%s is no method of the API',
  async (method) => {
    for (const { path } of ENDPOINTS) {
      const response = await api.request(path, { method });
      expect(response.status).toBe(405);
      expect(await response.json()).toMatchObject({ error: { code: 'USAGE' } });
    }
  },
);

test('a good query asks the store', async () => {
  const search = searchOf(RANGE);
  const response = await api.request(`/bars?${search}`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ error: { code: 'STORE_UNREACHABLE' } });
});
