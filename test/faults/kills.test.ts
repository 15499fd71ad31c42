import { describe, expect, inject, vi } from 'vitest';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { eventually } from '../e2e/rig.ts';
import { tablesWith } from '../support/exports.ts';
import { fault, type FaultReport, printFaultTable } from './fault.ts';
import { inPlace, lineWith, type Place, untilReached } from './place.ts';

/** kill -9 of a backfill at each step of its work, and the same command again. */

interface Kill {
  /** Settles when the process has come to the step, and can't go on from it. */
  readonly at: (place: Place) => Promise<void>;
  /** Tables in which the killed process has left rows of its series, and in which it has not. */
  readonly left: readonly string[];
  readonly missing: readonly string[];
  /** Default: hours of a few pages. */
  readonly tradesPerHour?: number;
}

const BARS = INTERVALS.map((interval) => `cdv_exact_${interval}`);

/** The exchange has sent the head of an answer and never sends the rest. */
async function stalledPage({ rig, symbol }: Place): Promise<void> {
  const page = { symbol, fromIdRange: [0, 1e15], request: 3 } as const;
  rig.exchange.setFaults([{ name: 'half a page', when: page, kind: 'stallAfterHeaders' }]);
  await eventually('a page is stalled', () =>
    rig.pages(symbol).some(({ fault, status }) => fault !== undefined && status === 200),
  );
}

async function killAndRepeat(kill: Kill, place: Place, report: FaultReport): Promise<void> {
  const { rig, app, symbol, backfill } = place;
  const reached = kill.at(place);
  const command = rig.startCli(backfill);
  await untilReached(command, reached);
  command.kill('SIGKILL');
  expect(await command.done).toMatchObject({ exitCode: undefined });
  const left = await tablesWith(app.sql, symbol);
  expect(left).toEqual(expect.arrayContaining([...kill.left]));
  expect(left.filter((table) => kill.missing.includes(table))).toEqual([]);

  rig.exchange.setFaults([]);
  const again = await rig.cli(backfill);
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  report.saw(lineWith(again, ' proven, '));
}

// One hour after the other.
const RUN = { hours: 2, tradesPerHour: 2_500, concurrency: 1 };
/** An hour is more than one batch. */
const BATCHES = 16_000;

function killed(name: string, pace: 'quick' | 'slow', kill: Kill): void {
  fault(name, pace, async (report) => {
    const { tradesPerHour = RUN.tradesPerHour } = kill;
    await inPlace({ ...RUN, tradesPerHour, services: inject('services') }, async (place) =>
      killAndRepeat(kill, place, report),
    );
  });
}

// Side by side: what takes their time is that a dead owner’s leases run out. Each may hold 14
// connections to QuestDB, which accepts 64.
vi.setConfig({ maxConcurrency: 4 });
describe.concurrent('a backfill', () => {
  killed('kill -9 with an hour’s lease, before its first fetch', 'slow', {
    at: ({ services }) => services.redis.hold(':lease:slice-', 'answer').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  });
  killed('kill -9 in the middle of a page', 'slow', {
    at: async (place) => stalledPage(place),
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  });
  killed('kill -9 with a batch fetched, not flushed', 'slow', {
    at: ({ services }) => services.questdbHttp.hold('agg_trades,', 'request').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
    tradesPerHour: BATCHES,
  });
  killed('kill -9 with a batch flushed, not acknowledged', 'slow', {
    at: ({ services }) => services.questdbHttp.hold('agg_trades,', 'answer').reached,
    left: ['agg_trades'],
    missing: ['slices'],
    tradesPerHour: BATCHES,
  });
  killed('kill -9 with an hour acknowledged, without its ledger row', 'quick', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'request').reached,
    left: ['agg_trades'],
    missing: ['slices'],
  });
  killed('kill -9 with a ledger row that it does not know of', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'answer').reached,
    left: ['agg_trades', 'slices'],
    missing: BARS,
  });
  killed('kill -9 in the middle of the bars', 'quick', {
    at: ({ services }) =>
      services.questdbPg.hold('INSERT ATOMIC INTO cdv_exact_5m', 'request').reached,
    left: ['slices', 'cdv_exact_1m'],
    missing: ['cdv_exact_5m', 'bar_days', 'anchors'],
  });
  killed('kill -9 with all bars, without their stamp', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO bar_days', 'request').reached,
    left: ['slices', ...BARS],
    missing: ['bar_days', 'anchors'],
  });
  killed('kill -9 in the middle of the chain', 'slow', {
    at: ({ services }) => services.questdbPg.hold('INSERT INTO anchors', 'request').reached,
    left: ['slices', ...BARS, 'bar_days'],
    missing: ['anchors'],
  });
});

printFaultTable();
