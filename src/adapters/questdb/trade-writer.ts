import pLimit from 'p-limit';
import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import type { Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { IlpConnection } from './ilp-connection.ts';
import { ilpLines } from './ilp-row.ts';
import type { SeriesTables } from './series-tables.ts';

/**
 * Batches in flight at a time. Formatting rows takes this process's only thread, so more would only hold
 * more buffers: the second batch is filled while the server handles the first.
 */
const WRITES_AT_ONCE = 2;

export interface TradeWriter {
  /** One batch, one request, one transaction. */
  write(series: Series, trades: readonly AggTrade[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * Writes batches of one or a few pages: trades from REST, and rows that are compared with the stored ones
 * before they overwrite them.
 * @param url http://user:password@host:port
 */
export function createTradeWriter(
  url: string,
  {
    tables,
    clock,
    log,
  }: { readonly tables: SeriesTables; readonly clock: Clock; readonly log: Log },
): TradeWriter {
  const connection = new IlpConnection(url, clock, log);
  const limit = pLimit(WRITES_AT_ONCE);
  return {
    async write(series, trades, signal) {
      signal.throwIfAborted();
      const [first, last] = [trades[0], trades.at(-1)];
      if (first === undefined || last === undefined) return;
      const times = { rows: trades.length, firstUs: first.timeUs, lastUs: last.timeUs };
      const table = await tables.forWriting(series, times, signal);
      await limit(() =>
        connection.write(Buffer.from(ilpLines(table, trades)), trades.length, signal),
      );
    },
    close: () => connection.close(),
  };
}
