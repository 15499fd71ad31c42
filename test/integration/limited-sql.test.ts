import { afterEach, expect, inject, test } from 'vitest';
import { createLimitedSql } from '../../src/adapters/questdb/limited-sql.ts';
import { createSql, type Sql } from '../../src/adapters/questdb/sql.ts';
import { createApi } from '../../src/adapters/http/api/routes.ts';
import { createChartReads } from '../../src/adapters/questdb/chart-reads.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { createTradeReads } from '../../src/adapters/questdb/trade-reads.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { timeZones } from '../../src/adapters/system/time-zones.ts';
import { createChartData } from '../../src/app/chart/chart-data.ts';
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
const open = (limits: Parameters<typeof createLimitedSql>[1]): Sql => {
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
  const sql = open(limits);
  const slowly: Sql = { ...sql, query: async () => sql.query(slow(3)) };
  const store = openStore();
  const data = createChartData({
    bars: store.bars,
    ledger: createLedger(slowly),
    catalogue: createSeriesCatalogue(slowly),
    reads: createChartReads(slowly),
    trades: createTradeReads(slowly),
    zones: timeZones,
    clock: systemClock,
  });
  const api = createApi({
    data,
    events: NO_EVENTS,
    zones: timeZones,
    clock: systemClock,
    version: '1',
    log: silentLog,
  });
  const response = await api.request('/series');
  expect(response.status).toBe(status);
  expect(response.headers.get('retry-after')).toBe(retryAfter);
  expect(await response.json()).toMatchObject({ error: { code } });
  await store.close();
});
