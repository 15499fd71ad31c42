import type { TradeStore } from '../../ports/trade-store.ts';

/** What one process has done, for progress lines and summaries. Times add up over parallel slices. */
export interface WorkTotals {
  requests: number;
  /** Requests for trades; the rest are symbol, limit and clock questions. */
  tradeRequests: number;
  retries: number;
  rows: number;
  /** Waiting for weight, for the exchange's answer, decoding it, and writing to the store. */
  waitMs: number;
  fetchMs: number;
  decodeMs: number;
  writeMs: number;
}

export function createWorkTotals(): WorkTotals {
  return {
    requests: 0,
    tradeRequests: 0,
    retries: 0,
    rows: 0,
    waitMs: 0,
    fetchMs: 0,
    decodeMs: 0,
    writeMs: 0,
  };
}

/** The same store, with its writes timed. */
export function meteredTrades(store: TradeStore, totals: WorkTotals): TradeStore {
  return {
    ...store,
    async write(series, trades, signal) {
      const startedMs = performance.now();
      await store.write(series, trades, signal);
      totals.writeMs += performance.now() - startedMs;
      totals.rows += trades.length;
    },
  };
}
