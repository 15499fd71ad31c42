import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createBarStore } from '../../src/adapters/questdb/bar-store.ts';
import { createBulkStore } from '../../src/adapters/questdb/bulk-store.ts';
import { createLedger } from '../../src/adapters/questdb/ledger.ts';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import { createTradeStore } from '../../src/adapters/questdb/trade-store.ts';
import { createTradeWriter } from '../../src/adapters/questdb/trade-writer.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { Series } from '../../src/domain/market.ts';
import type { Log } from '../../src/ports/log.ts';

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** The real store of the test run, or another one, composed as in the composition root. */
export function openStore(urls = inject('services')) {
  const sql = createSql(urls.questdbPgUrl);
  const writer = createTradeWriter(urls.questdbHttpUrl, systemClock, silentLog);
  const trades = createTradeStore({ sql, writer });
  const bulk = createBulkStore(urls.questdbHttpUrl, systemClock, silentLog);
  return {
    sql,
    trades,
    bulk,
    bars: createBarStore(sql),
    ledger: createLedger(sql),
    async close() {
      await trades.close();
      await bulk.close();
      await sql.close();
    },
  };
}

/** A series with a unique symbol, since tests share the tables. */
export function uniqueSeries(name: string): Series {
  return {
    market: 'binance_spot',
    symbol: `${name}${randomBytes(4).toString('hex').toUpperCase()}`,
  };
}

export const NEVER = new AbortController().signal;
