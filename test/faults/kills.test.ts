import { describe, inject, vi } from 'vitest';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { eventually } from '../e2e/rig.ts';
import { fault, printFaultTable } from './fault.ts';
import { inPlace, killAndRepeat, type Place } from './place.ts';

/** Kills a backfill with SIGKILL at each step of its work, and runs the same command again. */

interface Kill {
  /** Settles when the process has reached the step; the process can't go on from it. */
  readonly at: (place: Place) => Promise<void>;
  /** Tables in which the killed process has left rows of its series. */
  readonly left: readonly string[];
  /** Tables in which it has left none. */
  readonly missing: readonly string[];
  /** Default: hours of a few pages. */
  readonly tradesPerHour?: number;
}

const BARS = INTERVALS.map((interval) => `cdv_exact_${interval}`);

/** Makes the exchange send the headers of a page and never the rest; waits for that. */
async function stalledPage({ rig, symbol }: Place): Promise<void> {
  const page = { symbol, fromIdRange: [0, 1e15], request: 3 } as const;
  rig.exchange.setFaults([{ name: 'half a page', when: page, kind: 'stallAfterHeaders' }]);
  await eventually('a page is stalled', () =>
    rig.pages(symbol).some(({ fault, status }) => fault !== undefined && status === 200),
  );
}

// One hour at a time.
const RUN = { hours: 2, tradesPerHour: 2_500, concurrency: 1 };
/** So many trades an hour that an hour is more than one batch. */
const BATCHES = 16_000;

function killed(name: string, pace: 'quick' | 'slow', kill: Kill): void {
  fault(name, pace, async (report) => {
    const { tradesPerHour = RUN.tradesPerHour } = kill;
    await inPlace({ ...RUN, tradesPerHour, services: inject('services') }, async (place) => {
      const { left, missing } = kill;
      report.saw(await killAndRepeat(place, { reached: kill.at(place), left, missing }));
    });
  });
}

// In parallel, since most of their time is waiting for a dead owner's leases to expire. At most four, since
// each may hold 14 connections to QuestDB, which accepts 64.
vi.setConfig({ maxConcurrency: 4 });
describe.concurrent('a backfill survives', () => {
  killed('kill -9 with an hour’s lease, before its first request', 'slow', {
    at: ({ services }) => services.redis.hold(':lease:slice-', 'answer').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  });
  killed('kill -9 while a page arrives', 'slow', {
    at: async (place) => stalledPage(place),
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  });
  killed('kill -9 with a batch that is fetched and not flushed', 'slow', {
    at: ({ services }) => services.questdbHttp.hold('agg_trades_', 'request').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
    tradesPerHour: BATCHES,
  });
  killed('kill -9 with a batch that is flushed and not acknowledged', 'slow', {
    at: ({ services }) => services.questdbHttp.hold('agg_trades_', 'answer').reached,
    left: ['agg_trades'],
    missing: ['slices'],
    tradesPerHour: BATCHES,
  });
  killed('kill -9 with an hour that is stored and has no ledger row yet', 'quick', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'request').reached,
    left: ['agg_trades'],
    missing: ['slices'],
  });
  killed('kill -9 with a ledger row that is written and not acknowledged', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'answer').reached,
    left: ['agg_trades', 'slices'],
    missing: BARS,
  });
  killed('kill -9 with hours that are distilled, before their bars are begun', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO bar_days', 'request').reached,
    left: ['agg_trades', 'slices'],
    missing: [...BARS, 'bar_days', 'anchors'],
  });
  killed('kill -9 while bars are written', 'quick', {
    // The server has the first part of the request.
    at: ({ services }) => services.questdbHttp.hold('tiers_exact_1d,', 'request').reached,
    left: ['slices', 'bar_days'],
    missing: [...BARS, 'anchors'],
  });
  killed('kill -9 with all bars written, before their stamp', 'slow', {
    at: ({ services }) => services.questdbHttp.hold('cdv_exact_1m,', 'answer').reached,
    left: ['slices', ...BARS, 'bar_days'],
    missing: ['anchors'],
  });
  killed('kill -9 while continuous levels are chained', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO anchors', 'request').reached,
    left: ['slices', ...BARS, 'bar_days'],
    missing: ['anchors'],
  });
});

printFaultTable();
