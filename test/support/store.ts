import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createBarStore } from '../../src/adapters/questdb/bar-store.ts';
import { createBulkStore } from '../../src/adapters/questdb/bulk-store.ts';
import { IlpConnection } from '../../src/adapters/questdb/ilp-connection.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { type SeriesNames, toNames } from '../../src/adapters/questdb/series-schema.ts';
import { createSeriesTables, type SeriesTables } from '../../src/adapters/questdb/series-tables.ts';
import { createSql, literal, type Sql } from '../../src/adapters/questdb/sql.ts';
import { createTradeStore } from '../../src/adapters/questdb/trade-store.ts';
import { createTradeWriter } from '../../src/adapters/questdb/trade-writer.ts';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { schemaLock } from '../../src/cli/schema.ts';
import type { Market, Series } from '../../src/domain/market.ts';
import { DAY_MS, floorTo } from '../../src/domain/time/hour.ts';
import type { Log } from '../../src/ports/log.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * The real store of the test run, or another one, composed as in the composition root. Series get their row
 * with the first trades that are written.
 */
export function openStore(urls = inject('services')) {
  const sql = createSql(urls.questdbPgUrl);
  const redis = createRedis(urls.redisUrl, { log: silentLog });
  const deps = { clock: systemClock, log: silentLog };
  const catalogue = createSeriesCatalogue(sql);
  const made = createSeriesTables({
    sql,
    lock: schemaLock({ redis, ...deps }),
    log: silentLog,
  });
  const tables: SeriesTables = {
    find: (series) => made.find(series),
    upToDate: (series) => made.upToDate(series),
    isOfGeneration: (series, generation) => made.isOfGeneration(series, generation),
    async nameOf(series) {
      await catalogue.pinOrigin(series, 0);
      return made.nameOf(series);
    },
    async forWriting(series, first, signal) {
      await catalogue.pinOrigin(series, floorTo(first.firstUs / 1000, DAY_MS));
      return made.forWriting(series, first, signal);
    },
  };
  const writer = createTradeWriter(urls.questdbHttpUrl, { tables, ...deps });
  const trades = createTradeStore({ sql, tables, writer });
  const bulk = createBulkStore(urls.questdbHttpUrl, { tables, ...deps });
  const ilp = new IlpConnection(urls.questdbHttpUrl, systemClock, silentLog);
  return {
    ...deps,
    sql,
    tables,
    trades,
    bulk,
    bars: createBarStore({ sql, ilp, ...deps }),
    ledger: createLedger(sql),
    async close() {
      await trades.close();
      await bulk.close();
      await ilp.close();
      await sql.close();
      redis.disconnect();
    },
  };
}

/**
 * The table of the trades of a unique symbol, with all acknowledged rows.
 * @throws Error when the series is not known
 */
export async function tradesTable(sql: Sql, symbol: string, market?: Market): Promise<string> {
  const { table } = await namesOf(sql, symbol, market);
  await sql.waitApplied(table);
  return table;
}

/** The view of these trades. */
export async function tradesView(sql: Sql, symbol: string, market?: Market): Promise<string> {
  const { table, view } = await namesOf(sql, symbol, market);
  await sql.waitApplied(table);
  return view;
}

async function namesOf(sql: Sql, symbol: string, market: Market | undefined): Promise<SeriesNames> {
  await sql.waitApplied('series');
  const [row] = await sql.query(
    `SELECT market, symbol, trades_table, trades_view FROM series WHERE symbol = ${literal(symbol)}` +
      (market === undefined ? '' : ` AND market = ${literal(market)}`),
  );
  if (row === undefined) throw new Error(`no series ${symbol}`);
  return toNames(row);
}

/** Tables of a store that is only a listening port. */
export const ONE_TABLE: SeriesTables = {
  find: async () => 'agg_trades_spot_x_1',
  upToDate: async () => 'agg_trades_spot_x_1',
  nameOf: async () => 'agg_trades_spot_x_1',
  forWriting: async () => 'agg_trades_spot_x_1',
  isOfGeneration: () => undefined,
};

/** A series with a unique symbol, since tests share the tables. */
export function uniqueSeries(name: string): Series {
  return {
    market: 'binance_spot',
    symbol: `${name}${randomBytes(4).toString('hex').toUpperCase()}`,
  };
}

export const NEVER = new AbortController().signal;
