import { expect } from 'vitest';
import { concludeRun } from '../../src/app/plan/run-backfill.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../../src/domain/time/hour.ts';
import { seriesKey } from '../../src/domain/market.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { eventually, spot } from '../e2e/rig.ts';
import { fault, printFaultTable } from './fault.ts';
import { lineOf } from './log-line.ts';
import { OneSymbol } from './one-symbol.ts';

const DAY = Date.UTC(2024, 6, 2);
const hours = (from: number, to: number) => ({
  startMs: DAY + from * HOUR_MS,
  endMs: DAY + to * HOUR_MS,
});
// About two pages an hour.
const trades = syntheticTrades({
  seed: 31,
  fromMs: DAY - 2 * HOUR_MS,
  toMs: DAY + 26 * HOUR_MS,
  tradesPerHour: 1_200,
});

let one: OneSymbol;

/** Checks that no page was requested twice: the second worker of an hour waited, and found it proven. */
function expectPagesOnce(): void {
  const ids = one.rig.pages(one.symbol).map(({ query }) => query['fromId']);
  expect(ids).not.toEqual([]);
  expect(ids).toEqual([...new Set(ids)]);
}

fault('two overlapping backfills in two processes fetch no page twice', 'slow', async (report) => {
  // All hours of both are in flight at once.
  one = await OneSymbol.start(trades, hours(0, 12), { latencyMs: 150, concurrency: 12 });
  const runs = [hours(0, 8), hours(3, 12)].map((range) => one.startBackfill({}, undefined, range));
  const results = await Promise.all(runs.map(async (run) => run.done));
  for (const { exitCode, stderr } of results) expect(exitCode, stderr).toBe(0);
  report.saw(results.map(({ stderr }) => lineOf(stderr, 'hours proven')).join('; '));
  expectPagesOnce();
  await one.expectNothingLost();
});

fault('SIGTERM finishes hours in flight; the next run does the rest', 'slow', async (report) => {
  one = await OneSymbol.start(trades, hours(0, 24), { latencyMs: 150, concurrency: 8 });
  const slices = one.rig.raw('slice-binance_spot');
  const first = one.startBackfill();
  await eventually('eight hours are in flight', async () => (await slices.getActiveCount()) === 8);
  first.kill('SIGTERM');
  const { exitCode, stderr } = await first.done;
  expect(exitCode, stderr).toBe(130);
  report.saw(lineOf(stderr, 'hours proven'));
  const { proven } = await one.app.ledger.totals(spot(one.symbol), one.range);
  // The hours in flight were finished, and not all others were begun.
  expect(proven).toBeGreaterThanOrEqual(8);
  expect(proven).toBeLessThan(24);

  expect(await one.backfill()).toMatchObject({ exitCode: 0 });
  expectPagesOnce();
  await one.expectNothingLost();
});

fault('two workers with one schedule, many ticks: no page twice', 'quick', async (report) => {
  const nowMs = Date.now();
  const startMs = floorTo(nowMs, HOUR_MS) - 8 * HOUR_MS;
  const live = syntheticTrades({
    seed: 32,
    fromMs: startMs - HOUR_MS,
    toMs: nowMs + DAY_MS,
    tradesPerHour: 1_200,
  });
  one = await OneSymbol.start(live, { startMs, endMs: startMs + 8 * HOUR_MS }, { latencyMs: 40 });
  const { rig, app, symbol } = one;
  const from = new Date(startMs).toISOString();
  expect(await rig.cli(['schedule', symbol, '--from', from])).toMatchObject({ exitCode: 0 });

  const ticks = rig.raw('tick');
  const said: string[] = [];
  const onLine = (line: string) => void said.push(line);
  const env = { CDVAULT_LOG: 'info' };
  const workers = [1, 2].map(() => rig.startCli(['worker', '--concurrency', '3'], onLine, env));
  await eventually('both workers are ready', () => said.join().split('worker: ready').length > 2);
  for (let round = 0; round < 5; round += 1)
    await ticks.addBulk([1, 2, 3, 4].map(() => ({ name: 'tick', data: {} })));
  const isTicking = async () =>
    (await ticks.getWaitingCount()) + (await ticks.getActiveCount()) > 0;
  await eventually('the ticks are over', async () => !(await isTicking()));
  await rig.untilIdle(app);
  for (const worker of workers) worker.kill('SIGTERM');
  for (const worker of workers) expect(await worker.done).toMatchObject({ exitCode: 0 });

  expect(await ticks.getFailedCount()).toBe(0);
  expect(await ticks.getCompletedCount()).toBeGreaterThanOrEqual(20);
  report.saw(lineOf(said.join('\n'), 'schedule: work is due'));
  expectPagesOnce();
  await one.expectNothingLost(live, await scheduled(startMs));
});

fault('a run ends while another run moves its continuous levels', 'quick', async (report) => {
  const days = (from: number, to: number) => ({
    startMs: DAY + from * DAY_MS,
    endMs: DAY + to * DAY_MS,
  });
  const sparse = syntheticTrades({
    seed: 33,
    fromMs: DAY - HOUR_MS,
    toMs: DAY + 4 * DAY_MS,
    tradesPerHour: 20,
  });
  one = await OneSymbol.start(sparse, days(0, 3));
  const { rig, app, symbol } = one;
  const series = [spot(symbol)];
  // The first day holds the origin. The day in between comes last and moves the levels of the third.
  for (const range of [days(0, 1), days(2, 3)])
    expect(await rig.backfill(app, series, range)).toMatchObject({ exitCode: 0 });
  const chain = await app.leases.tryAcquire(`chain-${seriesKey(spot(symbol))}`);
  const between = await rig.enqueue(app, series, days(1, 2));
  const workers = rig.work(app);
  await eventually('its bars are built', async () => {
    const built = await app.bars.days(spot(symbol), days(1, 2));
    return built.length > 0 && (await app.queue.chainPending(spot(symbol)));
  });
  const result = await concludeRun(app, 'the third day', series, days(2, 3));
  expect(result).toMatchObject({ barsDue: false, exitCode: 0 });
  report.saw(`${result.proven} of ${result.wantedHours} hours proven`);

  await chain?.release();
  await rig.untilOver(app, [between], series);
  await workers.stop();
  await one.expectNothingLost();
});

/** The range up to the last hour that has closed: one more may have closed while the test ran. */
async function scheduled(startMs: number) {
  const wide = { startMs, endMs: startMs + DAY_MS };
  const records = await one.app.ledger.records(spot(one.symbol), wide);
  const endMs = Math.max(...records.map(({ hourMs }) => hourMs)) + HOUR_MS;
  // Seven, since the last hour closes two minutes after its end.
  expect(endMs - startMs).toBeGreaterThanOrEqual(7 * HOUR_MS);
  return { startMs, endMs };
}

printFaultTable();
