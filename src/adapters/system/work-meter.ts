import type { BulkStore } from '../../ports/bulk-store.ts';
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

/** The same for bulk rows; the time is that spent waiting for the store. */
export function meteredBulk(store: BulkStore, totals: WorkTotals): BulkStore {
  async function timed(work: Promise<void>): Promise<void> {
    const startedMs = performance.now();
    await work;
    totals.writeMs += performance.now() - startedMs;
  }
  return {
    open(series, signal) {
      const load = store.open(series, signal);
      return {
        async add(block, from, to) {
          await timed(load.add(block, from, to));
          totals.rows += to - from;
        },
        finish: () => timed(load.finish()),
        abandon: () => load.abandon(),
      };
    },
  };
}
