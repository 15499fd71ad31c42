import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { createLimitedSql, type LimitedSql } from '../../src/adapters/questdb/limited-sql.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { createApi } from '../../src/adapters/http/api/routes.ts';
import { createChartReads } from '../../src/adapters/questdb/chart-reads.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createPrunings } from '../../src/adapters/questdb/prunings.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { createTradeReads } from '../../src/adapters/questdb/trade-reads.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { createStoredSeries } from '../../src/app/chart/stored-series.ts';
import { createChartData } from '../../src/app/chart/chart-data.ts';
import type { CdvaultError } from '../../src/domain/errors.ts';
import type { ChartEvents } from '../../src/ports/chart-data.ts';
import { openStore, silentLog } from '../support/store.ts';
import { eventually } from '../e2e/rig.ts';

/** Would take minutes. */
const slow = (name: number) =>
  `SELECT sum(a.x * b.x) AS n${name} FROM long_sequence(3000000) a CROSS JOIN long_sequence(100000) b WHERE a.x + b.x > 5`;

const NO_EVENTS: ChartEvents = {
  status: async () => Promise.reject(new Error('nobody asks')),
  listen: () => undefined,
};

const opened: Sql[] = [];
const open = (limits: Parameters<typeof createLimitedSql>[1]): LimitedSql => {
  const sql = createLimitedSql(inject('services').questdbReadonlyPgUrl, limits);
  opened.push(sql);
  return sql;
};

afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (sql) => sql.close()));
});

async function running(name: number): Promise<number> {
  const other = createSql(inject('services').questdbPgUrl, 1);
  const rows = await other.query(
    `SELECT query FROM query_activity() WHERE query LIKE '% AS n${name} FROM long%'`,
  );
  await other.close();
  return rows.filter(({ query }) => query?.includes('query_activity') === false).length;
}

test('a query that would take minutes ends, says so, and ends in the server', async () => {
  const sql = open({ queryMs: 1_500, running: 1, waiting: 1 });
  const startMs = performance.now();
  const late = sql.query(slow(1)).catch((error: unknown) => error);
  await eventually('it runs', async () => (await running(1)) === 1);
  expect(await late).toMatchObject({
    code: 'QUERY_TIMEOUT',
    message: 'a query took longer than 1.5 s and was stopped',
  });
  expect(performance.now() - startMs).toBeGreaterThan(1_490);
  await eventually('the server lists it no longer', async () => (await running(1)) === 0, 10_000);
  // The connection was replaced.
  expect(await sql.query('SELECT 1 AS one')).toEqual([{ one: '1' }]);
});

test('a query that finds no place to wait is refused; the others are answered', async () => {
  const sql = open({ queryMs: 2_000, running: 1, waiting: 2 });
  const first = sql.query(slow(2)).catch((error: unknown) => error);
  const waiting = [1, 2].map((n) => sql.query(`SELECT ${n} AS n`));
  await expect(sql.query('SELECT 3 AS n')).rejects.toMatchObject({
    code: 'QUERY_BUSY',
    message: 'too many queries at once: 1 running, 2 waiting',
  });
  expect(await first).toMatchObject({ code: 'QUERY_TIMEOUT' });
  expect(await Promise.all(waiting)).toEqual([[{ n: '1' }], [{ n: '2' }]]);
});

test.each([
  ['QUERY_TIMEOUT', 504, null, { queryMs: 200, running: 1, waiting: 9 }],
  ['QUERY_BUSY', 503, '2', { queryMs: 200, running: 1, waiting: 0 }],
] as const)('the API answers %s with %d', async (code, status, retryAfter, limits) => {
  const { api, close } = slowApi(open(limits), 3);
  const response = await api.request('/series');
  expect(response.status).toBe(status);
  expect(response.headers.get('retry-after')).toBe(retryAfter);
  expect(await response.json()).toMatchObject({ error: { code } });
  await close();
});

/** An API whose every query is the slow one. */
function slowApi(sql: LimitedSql, name: number) {
  const store = openStore();
  const api = createApi({
    dataFor(signal) {
      const asked = sql.until(signal);
      const slowly: Sql = { ...asked, query: async () => asked.query(slow(name)) };
      return createChartData({
        bars: store.bars,
        ledger: createLedger(slowly),
        series: createStoredSeries({
          ledger: createLedger(slowly),
          catalogue: createSeriesCatalogue(slowly),
          reads: createChartReads(slowly),
        }),
        prunings: createPrunings(slowly),
        reads: createChartReads(slowly),
        trades: createTradeReads(slowly),
        zones: timeZones,
        clock: systemClock,
      });
    },
    events: NO_EVENTS,
    zones: timeZones,
    clock: systemClock,
    version: '1',
    log: silentLog,
  });
  return { api, close: () => store.close() };
}

const GAPS = '/gaps?symbol=X&from=2024-01-01&to=2024-01-02';

test('the query of a client that has gone ends in the server; that of another one goes on', async () => {
  const queryMs = 6_000;
  const sql = open({ queryMs, running: 1, waiting: 1 });
  const { api, close } = slowApi(sql, 4);
  const server = serve({ fetch: api.fetch, port: 0, hostname: '127.0.0.1' });
  onTestFinished(() => void server.close());
  onTestFinished(close);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}${GAPS}`;
  const leaving = new AbortController();
  const gone = fetch(url, { signal: leaving.signal }).catch((error: unknown) => error);
  await eventually('it runs', async () => (await running(4)) === 1);
  const startMs = performance.now();
  leaving.abort();
  expect(await gone).toMatchObject({ name: 'AbortError' });
  // Its slot is the only one.
  expect(await sql.query('SELECT 1 AS one')).toEqual([{ one: '1' }]);
  await eventually('the server lists it no longer', async () => (await running(4)) === 0, 3_000);
  expect(performance.now() - startMs).toBeLessThan(queryMs / 2);
  const again = new AbortController();
  const first = fetch(url, { signal: again.signal }).catch((error: unknown) => error);
  await eventually('it runs again', async () => (await running(4)) === 1);
  const other = fetch(url);
  again.abort();
  const leftMs = performance.now();
  expect(await first).toMatchObject({ name: 'AbortError' });
  // Until its own time is over.
  expect((await other).status).toBe(504);
  expect(performance.now() - leftMs).toBeGreaterThan(queryMs - 50);
});

test('a query that waits gives up its place when its asker has gone', async () => {
  const sql = open({ queryMs: 2_000, running: 1, waiting: 1 });
  const first = sql.query(slow(5)).catch((error: unknown) => error);
  const leaving = new AbortController();
  const second = sql
    .until(leaving.signal)
    .query('SELECT 2 AS n')
    .catch((error: unknown) => error);
  await expect(sql.query('SELECT 3 AS n')).rejects.toMatchObject({ code: 'QUERY_BUSY' });
  leaving.abort();
  expect(await sql.query('SELECT 4 AS n')).toEqual([{ n: '4' }]);
  expect(await second).toMatchObject({ name: 'AbortError' });
  expect(await first).toMatchObject({ code: 'QUERY_TIMEOUT' });
  const waiting = [sql.query(slow(6)), sql.query('SELECT 5 AS n'), sql.query('SELECT 6 AS n')];
  const ends = await Promise.allSettled(waiting);
  expect(ends.map((end) => end.status === 'rejected' && (end.reason as CdvaultError).code)).toEqual(
    ['QUERY_TIMEOUT', false, 'QUERY_BUSY'],
  );
});

const COLUMNS =
  "x, (x * 3 - 7)::decimal(38,8) AS y, CASE WHEN x = 2 THEN NULL ELSE concat('ä', x) END AS z";

test('rows that are given away as they arrive are those that a query returns', async () => {
  const sql = open({ queryMs: 10_000, running: 1, waiting: 9 });
  const text = `SELECT ${COLUMNS} FROM long_sequence(5000) WHERE x < $1`;
  const taken: (readonly (string | null)[])[] = [];
  await sql.eachRow(text, [4_000], (row) => taken.push(row));
  const rows = await sql.query(text, [4_000]);
  expect(rows).toHaveLength(3_999);
  expect(taken).toEqual(rows.map((row) => Object.values(row)));
  expect(taken[1]).toEqual(['2', '-1.00000000', null]);
});

test('an error of the one who takes rows is the error of the question; the connection serves on', async () => {
  const sql = open({ queryMs: 10_000, running: 1, waiting: 9 });
  let taken = 0;
  const failing = sql.eachRow('SELECT x FROM long_sequence(5000)', [], () => {
    taken += 1;
    if (taken === 3) throw new Error('no more');
  });
  await expect(failing).rejects.toThrow(new Error('no more'));
  expect(taken).toBe(3);
  expect(await sql.query('SELECT 1 AS one')).toEqual([{ one: '1' }]);
});

test('rows that are given away have the same limits of time', async () => {
  const sql = open({ queryMs: 1_000, running: 1, waiting: 9 });
  const late = sql.eachRow(slow(7), [], () => undefined);
  await expect(late).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
  const leaving = new AbortController();
  const left = sql.eachRow(slow(8), [], () => undefined, leaving.signal);
  await eventually('it runs', async () => (await running(8)) === 1);
  leaving.abort();
  await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  await eventually('the server lists it no longer', async () => (await running(8)) === 0);
  await expect(sql.eachRow('SELECT nothing', [], () => undefined)).rejects.toMatchObject({
    code: 'STORE_REFUSED',
  });
});
