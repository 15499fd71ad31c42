import { AsyncLocalStorage } from 'node:async_hooks';
import type { BulkStore } from '../../ports/bulk-store.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import type { Tracing } from '../../ports/tracing.ts';

/**
 * The work that one process has done, for progress lines and summaries. Times are summed over parallel
 * slices.
 */
export interface WorkTotals {
  requests: number;
  /** Of these requests, as the exchange counts it. */
  weight: number;
  /** Requests for trades; the others ask for symbols, limits and the clock. */
  tradeRequests: number;
  retries: number;
  rows: number;
  /** Time spent waiting for weight, fetching, decoding, and writing to the store. */
  waitMs: number;
  fetchMs: number;
  decodeMs: number;
  writeMs: number;
}

export function createWorkTotals(): WorkTotals {
  return {
    requests: 0,
    weight: 0,
    tradeRequests: 0,
    retries: 0,
    rows: 0,
    waitMs: 0,
    fetchMs: 0,
    decodeMs: 0,
    writeMs: 0,
  };
}

const totalsOfJob = new AsyncLocalStorage<WorkTotals>();

/** Counts what is done while `work` runs, in any part of the program, in these totals as well. */
export function withTotals<T>(totals: WorkTotals, work: () => T): T {
  return totalsOfJob.run(totals, work);
}

/** Adds to the totals of the process and of the running job. */
export function addWork(totals: WorkTotals, change: Partial<WorkTotals>): void {
  for (const into of [totals, totalsOfJob.getStore()]) {
    if (into === undefined) continue;
    for (const name of Object.keys(change) as (keyof WorkTotals)[]) into[name] += change[name] ?? 0;
  }
}

/** Wraps the store and adds the time and rows of its writes to `totals`. */
export function meteredTrades(store: TradeStore, totals: WorkTotals, tracing: Tracing): TradeStore {
  return {
    ...store,
    async write(series, trades, signal) {
      const startedMs = performance.now();
      await store.write(series, trades, signal);
      const writeMs = performance.now() - startedMs;
      addWork(totals, { writeMs, rows: trades.length });
      tracing.part('flush', writeMs, { rows: trades.length });
    },
  };
}

/** The same for bulk rows; the time is that of waiting for the store. */
export function meteredBulk(store: BulkStore, totals: WorkTotals, tracing: Tracing): BulkStore {
  async function timed(work: Promise<void>): Promise<number> {
    const startedMs = performance.now();
    await work;
    const writeMs = performance.now() - startedMs;
    addWork(totals, { writeMs });
    return writeMs;
  }
  return {
    open(series, signal) {
      const load = store.open(series, signal);
      let rows = 0;
      return {
        async add(block, from, to) {
          await timed(load.add(block, from, to));
          addWork(totals, { rows: to - from });
          rows += to - from;
        },
        hold: () => load.hold(),
        async keep() {
          await timed(load.keep());
        },
        drop: () => load.drop(),
        async finish() {
          tracing.part('flush', await timed(load.finish()), { rows });
        },
        abandon: () => load.abandon(),
      };
    },
  };
}
