import type { Command } from 'commander';
import type { JobWorkers } from '../../ports/job-queue.ts';
import { concludeRun, enqueueRun, isRunOver, type RunResult } from '../../app/run-backfill.ts';
import { isDue } from '../../app/plan-series.ts';
import { type CdvaultError, EXIT, type ExitCode } from '../../domain/errors.ts';
import type { TimeRange } from '../../domain/hour.ts';
import type { Market, Series } from '../../domain/market.ts';
import { BackfillProgress } from '../backfill-progress.ts';
import type { App } from '../compose.ts';
import { assertDisk, type CostedPlan, describePlan, planAll, totalsOf } from '../plan-report.ts';
import { formatDuration, formatInteger } from '../progress-text.ts';
import { assertKnown, assertNotBanned, parseSeries, print, say, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../times.ts';
import { jsonOption, type RangeOptions, weightShareOption, withRange } from './options.ts';

const POLL_MS = 500;
/** A slice of the busiest hour takes some ten seconds at a small weight share. */
const DRAIN_MS = 60_000;

interface BackfillOptions extends RangeOptions {
  readonly weightShare?: string;
  readonly detach?: boolean;
}

export function registerBackfill(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('backfill'))
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('fetch a range and build its bars')
    .description(
      'Fetches every aggregate trade of a range, proves by id that none is missing, and builds exact CDV bars.\n' +
        'What is proven already is not asked for again: run it as often as you like, also after a crash.\n' +
        'Ctrl-C once finishes the hours in flight, twice stops at once; nothing is lost either way.',
    )
    .addOption(weightShareOption())
    .option('--detach', 'enqueue only; workers elsewhere do the work (cdvault worker)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 complete and proven, 2 usage, 3 done with recorded gaps, 4 some slices failed,\n' +
        '5 an outage that may pass, 7 fatal (ban, access, schema, disk), 130 interrupted.\n\n' +
        'Examples:\n  cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-02-01\n' +
        '  cdvault backfill BTCUSDT ETHUSDT --last 30d --weight-share 0.9\n',
    )
    .action(async (symbols: string[], options: BackfillOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      const overrides =
        options.weightShare === undefined ? {} : { weightShare: options.weightShare };
      finish(
        await withApp(overrides, async ({ app, signal }) => {
          await assertKnown(app, series, signal);
          if (options.json !== true)
            say(
              `backfill ${series.map(({ symbol }) => symbol).join(' ')}: ${describeRange(range)}`,
            );
          return backfill(app, series, range.hours, options, signal);
        }),
      );
    });
}

async function backfill(
  app: App,
  series: readonly Series[],
  range: TimeRange,
  options: BackfillOptions,
  signal: AbortSignal,
): Promise<ExitCode> {
  const json = options.json === true;
  const startedMs = app.clock.nowMs();
  const runId = newRunId(startedMs);
  const plans = await planAll(app, series, range, signal);
  const totals = await totalsOf(app, plans);
  if (json) print(JSON.stringify({ type: 'plan', runId, range, series: plans, ...totals }));
  else if (plans.some(isDue)) say(describePlan(plans, totals));
  assertDisk(totals.bytes, app);

  if (!plans.some(isDue)) return conclude(app, runId, series, range, startedMs, json);
  await enqueueRun(app, runId, plans.filter(isDue), range, signal);
  if (options.detach === true) {
    if (!json) say(`run ${runId} is queued; cdvault worker does it, cdvault status shows it`);
    return EXIT.ok;
  }
  const interrupted = await work(app, runId, plans, json, signal);
  const exitCode = await conclude(app, runId, series, range, startedMs, json);
  return interrupted ? EXIT.interrupted : exitCode;
}

/** @returns whether the run was interrupted */
async function work(
  app: App,
  runId: string,
  plans: readonly CostedPlan[],
  json: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const due = plans.filter(isDue);
  const market = plans[0]?.market ?? 'binance_spot';
  const slicesTotal = plans.reduce((sum, plan) => sum + plan.dueHours, 0);
  const progress = new BackfillProgress(app, { runId, market, slicesTotal }, json);
  const workers = app.startWorkers();
  try {
    await watch(app, workers, market, signal, async () => {
      await progress.update();
      return isRunOver(app, runId, due);
    });
    return false;
  } catch (error) {
    if (!signal.aborted) throw error;
    return true;
  } finally {
    progress.done();
    await letGo(workers, signal);
  }
}

/** Looks until the run is over. @throws what no other job can survive, and the signal's reason */
async function watch(
  app: App,
  workers: JobWorkers,
  market: Market,
  signal: AbortSignal,
  look: () => Promise<boolean>,
): Promise<void> {
  let fatal: CdvaultError | undefined;
  void workers.fatal.then((error) => (fatal = error));
  while (!(await look())) {
    if (fatal !== undefined) throw fatal;
    await assertNotBanned(app, market);
    await app.clock.sleep(POLL_MS, signal);
  }
}

async function letGo(workers: JobWorkers, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) return workers.stop();
  say('finishing the hours in flight; Ctrl-C again stops at once');
  const onSecond = () => void workers.stop();
  process.once('SIGINT', onSecond).once('SIGTERM', onSecond);
  try {
    await workers.drain(DRAIN_MS);
  } finally {
    process.off('SIGINT', onSecond).off('SIGTERM', onSecond);
  }
}

async function conclude(
  app: App,
  runId: string,
  series: readonly Series[],
  range: TimeRange,
  startedMs: number,
  json: boolean,
): Promise<ExitCode> {
  const result = await concludeRun(app, runId, series, range);
  const durationMs = app.clock.nowMs() - startedMs;
  if (json) {
    print(JSON.stringify({ type: 'summary', runId, durationMs, ...result, work: app.totals }));
  } else {
    for (const line of summaryLines(app, result, durationMs)) say(line);
  }
  return result.exitCode;
}

function summaryLines(app: App, result: RunResult, durationMs: number): string[] {
  const { wantedHours, proven, gap, open, unknown, rows, failures } = result;
  const { totals } = app;
  const lines = [
    `${formatInteger(proven)} of ${formatInteger(wantedHours)} hours proven, ${formatInteger(rows)} trades stored` +
      ` (${formatInteger(totals.rows)} now, ${formatInteger(totals.tradeRequests)} trade requests, ${formatDuration(durationMs)})`,
  ];
  if (gap > 0) lines.push(`${gap} hours have gaps: select * from gaps where resolved_at is null`);
  if (open > 0)
    lines.push(`${open} hours are open: no later trade exists yet; run the same command later`);
  if (unknown > 0) lines.push(`${unknown} hours are not fetched; run the same command to go on`);
  for (const { kind, payload, reason } of failures)
    lines.push(`failed ${kind} ${JSON.stringify(payload)}: ${reason}`);
  return lines;
}

/** 20240101T101112-4f3a: sorts by time; two starts in one second differ. */
function newRunId(nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '');
  return `${time}-${Math.floor(Math.random() * 0x10000)
    .toString(16)
    .padStart(4, '0')}`;
}
