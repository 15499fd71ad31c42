import { describe, expect, inject, vi } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/hour.ts';
import { INTERVALS } from '../../src/domain/interval.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { eventually, Rig } from '../e2e/rig.ts';
import { unique } from '../support/command-line.ts';
import { tablesWith } from '../support/exports.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { expectNothingLost, fault, printFaultTable } from './fault.ts';

/** kill -9 of a backfill at each step of its work, and the same command again. */

const DAY = Date.UTC(2024, 8, 2);
const RANGE = { startMs: DAY, endMs: DAY + 2 * HOUR_MS };
const ARGS = ['--from', '2024-09-02T00:00Z', '--to', '2024-09-02T02:00Z'];
// More than one batch of rows in each of the hours.
const trades = syntheticTrades({
  seed: 101,
  fromMs: DAY - HOUR_MS,
  toMs: DAY + 3 * HOUR_MS,
  tradesPerHour: 16_000,
});

interface Place {
  readonly services: ProxiedServices;
  readonly rig: Rig;
  readonly symbol: string;
}

interface Kill {
  readonly step: string;
  readonly pace: 'quick' | 'slow';
  /** Settles when the process has come to the step, and can't go on from it. */
  readonly at: (place: Place) => Promise<void>;
  /** Tables in which the killed process has left rows of its series, and in which it has not. */
  readonly left: readonly string[];
  readonly missing: readonly string[];
}

const BARS = INTERVALS.map((interval) => `cdv_exact_${interval}`);

const KILLS: readonly Kill[] = [
  {
    step: 'with an hour’s lease, before its first fetch',
    pace: 'slow',
    at: ({ services }) => services.redis.hold(':lease:slice-', 'answer').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  },
  {
    step: 'in the middle of a page',
    pace: 'slow',
    at: async ({ rig, symbol }) => stalledPage(rig, symbol),
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  },
  {
    step: 'with a batch fetched, not flushed',
    pace: 'slow',
    at: ({ services }) => services.questdbHttp.hold('agg_trades,', 'request').reached,
    left: ['series'],
    missing: ['agg_trades', 'slices'],
  },
  {
    step: 'with a batch flushed, not acknowledged',
    pace: 'slow',
    at: ({ services }) => services.questdbHttp.hold('agg_trades,', 'answer').reached,
    left: ['agg_trades'],
    missing: ['slices'],
  },
  {
    step: 'with an hour acknowledged, without its ledger row',
    pace: 'quick',
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'request').reached,
    left: ['agg_trades'],
    missing: ['slices'],
  },
  {
    step: 'with a ledger row that it does not know of',
    pace: 'slow',
    at: ({ services }) => services.questdbPg.hold('INSERT INTO slices', 'answer').reached,
    left: ['agg_trades', 'slices'],
    missing: BARS,
  },
  {
    step: 'in the middle of the bars',
    pace: 'quick',
    at: ({ services }) =>
      services.questdbPg.hold('INSERT ATOMIC INTO cdv_exact_5m', 'request').reached,
    left: ['slices', 'cdv_exact_1m'],
    missing: ['cdv_exact_5m', 'bar_days', 'anchors'],
  },
  {
    step: 'with all bars, without their stamp',
    pace: 'slow',
    at: ({ services }) => services.questdbPg.hold('INSERT INTO bar_days', 'request').reached,
    left: ['slices', ...BARS],
    missing: ['bar_days', 'anchors'],
  },
  {
    step: 'in the middle of the chain',
    pace: 'slow',
    at: ({ services }) => services.questdbPg.hold('INSERT INTO anchors', 'request').reached,
    left: ['slices', ...BARS, 'bar_days'],
    missing: ['anchors'],
  },
];

/** The exchange has sent the head of an answer and never sends the rest. */
async function stalledPage(rig: Rig, symbol: string): Promise<void> {
  const page = { symbol, fromIdRange: [0, 1e15], request: 3 } as const;
  rig.exchange.setFaults([{ name: 'half a page', when: page, kind: 'stallAfterHeaders' }]);
  await eventually('a page is stalled', () =>
    rig.pages(symbol).some(({ fault, status }) => fault !== undefined && status === 200),
  );
}

async function killAndRepeat(kill: Kill, place: Place, app: App): Promise<string> {
  const { rig, symbol } = place;
  const reached = kill.at(place);
  const command = rig.startCli(['backfill', symbol, ...ARGS]);
  const ended = command.done.then(({ stderr }) => {
    throw new Error(`it ended before it came to the step: ${stderr}`);
  });
  await Promise.race([reached, ended]);
  ended.catch(() => undefined);
  command.kill('SIGKILL');
  expect(await command.done).toMatchObject({ exitCode: undefined });
  const left = await tablesWith(app.sql, symbol);
  expect(left).toEqual(expect.arrayContaining([...kill.left]));
  expect(left.filter((table) => kill.missing.includes(table))).toEqual([]);

  rig.exchange.setFaults([]);
  const again = await rig.cli(['backfill', symbol, ...ARGS]);
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  return again.stderr.split('\n').find((line) => line.includes(' proven, ')) ?? '';
}

// Side by side: what takes their time is that a dead owner’s leases run out.
vi.setConfig({ maxConcurrency: KILLS.length });
describe.concurrent('kill -9', () => {
  for (const kill of KILLS) {
    fault(`kill -9 ${kill.step}`, kill.pace, async (report) => {
      const services = await proxyServices(inject('services'));
      const symbol = unique('KILL');
      const rig = await Rig.start({
        symbols: [{ symbol, trades }],
        services: services.urls,
        concurrency: 1,
      });
      try {
        const app = await rig.app();
        report.saw(await killAndRepeat(kill, { services, rig, symbol }, app));
        await expectNothingLost(rig, app, symbol, trades, RANGE);
      } finally {
        await rig.dispose();
        await services.close();
      }
    });
  }
});

printFaultTable();
