import { FlowProducer, type Job, type Queue } from 'bullmq';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { PRIORITY } from '../../src/adapters/bullmq/catalogue.ts';
import { stretchFlow } from '../../src/adapters/bullmq/stretch-flow.ts';
import { startWorkers } from '../../src/adapters/bullmq/workers.ts';
import { createJobHandlers } from '../../src/app/jobs/job-handlers.ts';
import { ingestHour } from '../../src/app/hour/ingest-hour.ts';
import { isDue, planSeries } from '../../src/app/plan/plan-series.ts';
import { concludeRun, isRunOver } from '../../src/app/plan/run-backfill.ts';
import type { App } from '../../src/cli/compose.ts';
import { compactDay, compactHour, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { MARKETS } from '../../src/domain/market.ts';
import type { Fault } from '../exchange/faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { referenceDay, truth, withoutTrust } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 6, 1);
const RANGE = { startMs: DAY, endMs: DAY + 6 * HOUR_MS };
const HOURS = [0, 1, 2, 3, 4, 5].map((hour) => DAY + hour * HOUR_MS);
// An hour fits into one page, so that one request is one hour.
const trades = syntheticTrades({
  seed: 31,
  fromMs: DAY - 2 * HOUR_MS,
  toMs: DAY + 14 * HOUR_MS,
  tradesPerHour: 300,
});

const POISON = unique('RETA');
const OUTAGE = unique('RETB');
const SHARED = unique('RETC');
const LATE = unique('RETD');

let rig: Rig;
let app: App;
let slices: Queue;

beforeAll(async () => {
  rig = await Rig.start({
    symbols: [POISON, OUTAGE, SHARED, LATE].map((symbol) => ({ symbol, trades })),
  });
  app = await rig.app();
  slices = rig.raw('slice-binance_spot');
});

afterAll(async () => rig.dispose());

/** A fault of the page of one hour of a symbol, which is requested from the trade before the hour. */
function onHour(symbol: string, hourMs: number, fault: Omit<Fault, 'name' | 'when'>): Fault {
  const rows = truth(trades, { startMs: hourMs, endMs: hourMs + HOUR_MS });
  const fromId = rows[0]?.aggId ?? 0;
  const when = { symbol, fromIdRange: [fromId - 1, fromId + rows.length - 2] as const };
  return { name: `${symbol} ${new Date(hourMs).toISOString()}`, when, ...fault };
}

async function expectHours(symbol: string, hours: readonly number[]): Promise<void> {
  for (const interval of INTERVALS) {
    const bars = await app.bars.bars(spot(symbol), interval, {
      startMs: DAY,
      endMs: DAY + 24 * HOUR_MS,
    });
    expect(bars.map(withoutTrust), `${symbol} ${interval}`).toEqual(
      referenceDay(trades, DAY, interval, { hours }),
    );
  }
}

async function failedJob(symbol: string): Promise<Job> {
  const jobs = (await slices.getJobs(['failed'])).filter(
    (job) => (job.data as { symbol: string }).symbol === symbol,
  );
  expect(jobs).toHaveLength(1);
  const [job] = jobs;
  if (job === undefined) throw new Error('no failed job');
  return job;
}

test('a slice that fails for good leaves its hour out; when it is retried by hand, its bars are built', async () => {
  const [, , , poisoned = 0] = HOURS;
  rig.exchange.setFaults([onHour(POISON, poisoned, { kind: 'apiError', code: -1121 })]);
  const from = ['--from', '2024-07-01T00:00Z', '--to', '2024-07-01T06:00Z', '--source', 'rest'];
  const result = await rig.cli(['backfill', POISON, ...from]);
  expect(result).toMatchObject({ exitCode: 4 });
  expect(result.stderr).toContain('5 of 6 hours proven');
  expect(result.stderr).toMatch(/failed slice .*UNKNOWN_SYMBOL/);

  const proven = HOURS.filter((hourMs) => hourMs !== poisoned);
  await expectHours(POISON, proven);
  const missing = truth(trades, { startMs: poisoned, endMs: poisoned + HOUR_MS }).length;
  const bars = await app.bars.bars(spot(POISON), '1h', RANGE);
  expect(bars.map(({ openMs, status, levelMissing }) => [openMs, status, levelMissing])).toEqual(
    proven.map((hourMs) => [hourMs, 'final', hourMs < poisoned ? 0 : missing]),
  );
  expect((await app.bars.bars(spot(POISON), '4h', RANGE)).map(({ status }) => status)).toEqual([
    'partial',
    'partial',
  ]);

  rig.exchange.setFaults([]);
  rig.exchange.requests.clear();
  const workers = rig.work(app);
  await (await failedJob(POISON)).retry();
  await eventually('the hour is proven', async () => !isDue(await plan(POISON)));
  await rig.untilIdle(app);
  await workers.stop();

  await expectHours(POISON, HOURS);
  const after = await app.bars.bars(spot(POISON), '1h', RANGE);
  expect(after.map(({ levelMissing }) => levelMissing)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(rig.pages(POISON)).toHaveLength(1);
});

test('a slice that fails by an outage ends the run with exit code 5, and can be retried', async () => {
  const runId = unique('run-');
  const [, , third = 0] = HOURS;
  rig.exchange.setFaults([onHour(OUTAGE, third, { kind: 'serviceUnavailable' })]);
  await app.catalogue.pinOrigin(spot(OUTAGE), DAY);
  await app.queue.addDays(runId, spot(OUTAGE), [{ dayMs: DAY, hours: HOURS }], 'backfill');
  await allowOneAttempt(OUTAGE, third);
  const workers = rig.work(app);
  await rig.untilIdle(app);

  expect(await concludeRun(app, runId, [spot(OUTAGE)], RANGE)).toMatchObject({
    exitCode: 5,
    proven: 5,
    unknown: 1,
    failures: [{ reason: expect.stringMatching(/^EXCHANGE_UNAVAILABLE: /) }],
  });
  await expectHours(
    OUTAGE,
    HOURS.filter((hourMs) => hourMs !== third),
  );

  rig.exchange.setFaults([]);
  await (await failedJob(OUTAGE)).retry();
  await eventually('the bars are no longer due', async () => !isDue(await plan(OUTAGE)));
  await rig.untilIdle(app);
  await workers.stop();
  await expectHours(OUTAGE, HOURS);
});

/** Leaves a job one attempt, as if nine attempts in about ten minutes had failed. */
async function allowOneAttempt(symbol: string, hourMs: number): Promise<void> {
  for (const job of await slices.getJobs(['prioritized', 'waiting'])) {
    const data = job.data as { symbol: string; hourMs: number };
    if (data.symbol !== symbol || data.hourMs !== hourMs) continue;
    const key = slices.toKey(job.id ?? '');
    const options = JSON.parse((await rig.redis().hget(key, 'opts')) ?? '{}') as object;
    await rig.redis().hset(key, 'opts', JSON.stringify({ ...options, attempts: 1 }));
  }
}

async function plan(symbol: string) {
  return planSeries(app, spot(symbol), RANGE);
}

test('a flow that runs its bars before its shared slices are done builds bars from proven hours only', async () => {
  const flows = new FlowProducer({
    connection: { url: rig.services.redisUrl },
    prefix: rig.name,
  });
  onTestFinished(async () => flows.close());
  const series = spot(SHARED);
  const stored = HOURS.slice(0, 2);
  const missing = HOURS.slice(2);
  await app.catalogue.pinOrigin(series, DAY);
  for (const hourMs of stored)
    await ingestHour(app, { ...series, hourMs, runId: 'a' }, AbortSignal.timeout(30_000));
  // A slice job waits while its hour's lease is held.
  const names = missing.map((hourMs) => `slice-spot-${SHARED}-${compactHour(hourMs)}`);
  const leases = await Promise.all(names.map(async (name) => app.leases.tryAcquire(name)));

  const flowOf = (runId: string, hours: readonly number[]) => {
    const days = { name: compactDay(DAY), days: [{ dayMs: DAY, hours }] };
    return stretchFlow(runId, series, days, PRIORITY.backfill);
  };
  const first = flowOf('first', missing);
  const second = flowOf('second', stored.slice(1));
  await flows.add(first);
  // The flow has its own slice and those of the first flow, for which BullMQ does not make this parent wait.
  const shared = first.children ?? [];
  await flows.add({ ...second, children: [...(second.children ?? []), ...shared] });
  const workers = rig.work(app);
  const bars = rig.raw('bars');
  await eventually('the second flow has run its bars', async () => {
    const job = await bars.getJob(second.opts?.jobId ?? '');
    return (await job?.isCompleted()) === true;
  });
  expect(await app.ledger.totals(series, RANGE)).toMatchObject({ proven: 2 });
  await expectHours(SHARED, stored);
  expect(isDue(await plan(SHARED))).toBe(true);

  for (const lease of leases) await lease?.release();
  await rig.untilIdle(app);
  await workers.stop();
  await expectHours(SHARED, HOURS);
  expect(await plan(SHARED)).toMatchObject({ dueHours: 0, dueBarDays: 0 });

  // The opposite trap: a flow with a slice that is done under another parent never ends.
  const third = flowOf('third', []);
  await flows.add({ ...third, children: shared.slice(0, 1) });
  rig.exchange.requests.clear();
  const from = ['--from', '2024-07-01T00:00Z', '--to', '2024-07-01T06:00Z', '--source', 'rest'];
  expect(await rig.cli(['backfill', SHARED, ...from])).toMatchObject({ exitCode: 0 });
  expect(rig.exchange.requests.tradeRequests()).toEqual([]);
});

test('bars that were read before an hour changed are built again by the same run', async () => {
  const handlers = createJobHandlers(app);
  const runs: string[] = [];
  const workers = startWorkers({
    redisUrl: rig.services.redisUrl,
    prefix: rig.name,
    concurrency: { slice: 4 },
    markets: MARKETS,
    log: app.log,
    handlers: {
      ...handlers,
      // The first bars job builds nothing, as if it had read the store before the run's hours were stored.
      async bars(day, context) {
        runs.push(day.runId);
        return runs.length === 1 ? { done: true } : handlers.bars(day, context);
      },
    },
  });
  const runId = await rig.enqueue(app, [spot(LATE)], RANGE);
  await eventually('the run is over', async () => isRunOver(app, runId, [spot(LATE)]));
  await workers.stop();
  expect(runs).toEqual([runId, 'due']);
  expect(await concludeRun(app, runId, [spot(LATE)], RANGE)).toMatchObject({ exitCode: 0 });
  await expectHours(LATE, HOURS);
});
