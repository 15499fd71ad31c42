import pLimit from 'p-limit';
import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import type { Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { IlpConnection } from './ilp-connection.ts';
import { ilpLines } from './ilp-row.ts';

/**
 * Batches under way at a time. Writing rows is work of this process's one thread, so more would only
 * hold more buffers: a second one fills while the first is with the server.
 */
const WRITES_AT_ONCE = 2;

export interface TradeWriter {
  /** One batch, one request, one transaction. */
  write(series: Series, trades: readonly AggTrade[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Batches of a page or some: what the exchange gives by REST, and rows that are compared before they
 * are overwritten.
 * @param url http://user:password@host:port
 */
export function createTradeWriter(url: string, clock: Clock, log: Log): TradeWriter {
  const connection = new IlpConnection(url, clock, log);
  const limit = pLimit(WRITES_AT_ONCE);
  return {
    async write(series, trades, signal) {
      signal.throwIfAborted();
      if (trades.length === 0) return;
      await limit(() =>
        connection.write(Buffer.from(ilpLines(series, trades)), trades.length, signal),
      );
    },
    close: () => connection.close(),
  };
}
