import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorkers } from '../../src/adapters/bullmq/workers.ts';
import { createFeedRun } from '../../src/app/jobs/feed-run.ts';
import type { App } from '../../src/cli/compose.ts';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { JobWorkers } from '../../src/ports/job-queue.ts';
import { Rig } from '../e2e/rig.ts';
import { unique } from '../support/command-line.ts';
import { silentLog, uniqueSeries } from '../support/store.ts';
import { eventually } from './queue-fixtures.ts';

const DAY = Date.UTC(2024, 0, 1);
const HOURS_A_DAY = 24;
/** Feeds look every half second: hours that take no time at all would leave their queue empty between two looks. */
const HOUR_MS = 8;
const DAYS_LATER = 6;
const PATIENCE_MS = 60_000;

let rig: Rig;
let app: App;
let workers: JobWorkers | undefined;
/** Run and symbol of each hour, as they were worked. */
let worked: { readonly runId: string; readonly symbol: string }[] = [];
/** How many hours had been worked when the first days of a run were queued. */
const queuedAt = new Map<string, number>();

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

afterEach(async () => {
  await workers?.stop();
  worked = [];
  await rig.wipeRedis();
});

afterAll(async () => rig.dispose());

function work(): void {
  const done = async () => ({ done: true }) as const;
  const feed = createFeedRun(app);
  workers = startWorkers({
    redisUrl: rig.services.redisUrl,
    prefix: rig.name,
    handlers: {
      async feed(request, { signal }) {
        const outcome = await feed(request, signal);
        if (!queuedAt.has(request.runId)) queuedAt.set(request.runId, worked.length);
        return outcome;
      },
      async slice({ runId, symbol }) {
        await sleep(HOUR_MS);
        worked.push({ runId, symbol });
        return { done: true };
      },
      archive: done,
      bars: done,
      chain: done,
      tick: done,
    },
    concurrency: { slice: 4 },
    markets: ['binance_spot'],
    log: silentLog,
  });
}

/** A backfill by REST of so many days. */
async function queueRun(series: readonly Series[], days: number): Promise<string> {
  const runId = unique('run-');
  const range = { startMs: DAY, endMs: DAY + days * DAY_MS };
  await app.queue.openRun(runId, series);
  for (const one of series) await app.queue.addFeed(runId, one, range, 'rest');
  return runId;
}

function many(count: number): Series[] {
  return Array.from({ length: count }, () => uniqueSeries('TURN'));
}

function hoursOf(runId: string, from = 0): number {
  return worked.slice(from).filter((one) => one.runId === runId).length;
}

test.for([
  { name: 'three years of one series', series: 1, days: 1_096 },
  { name: 'a month of twenty series', series: 20, days: 31 },
])('a run that comes later gets half of the work, beside $name', async ({ name, series, days }) => {
  const large = await queueRun(many(series), days);
  work();
  await eventually('the large run is under way', () => hoursOf(large) > 200);
  const small = await queueRun(many(1), DAYS_LATER);
  const wanted = DAYS_LATER * HOURS_A_DAY;
  await eventually('the small run is done', () => hoursOf(small) === wanted, PATIENCE_MS);
  const meanwhile = hoursOf(large, queuedAt.get(small));
  // A day at either end may be the other run's.
  expect(Math.abs(meanwhile - wanted), `${meanwhile} of ${name}`).toBeLessThan(3 * HOURS_A_DAY);
});

test('all series of a run get on alike', async () => {
  const series = many(10);
  const runId = await queueRun(series, 20);
  work();
  await eventually(
    'a quarter of the hours',
    () => hoursOf(runId) > 10 * 5 * HOURS_A_DAY,
    PATIENCE_MS,
  );
  const hours = series.map(({ symbol }) => worked.filter((one) => one.symbol === symbol).length);
  // The first ones were alone until the days of the others were queued.
  expect(Math.min(...hours), hours.join(' ')).toBeGreaterThan(2 * HOURS_A_DAY);
});
