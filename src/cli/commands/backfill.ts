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
import {
  assertKnown,
  assertNotBanned,
  drainWorkers,
  parseSeries,
  print,
  say,
  type Session,
  withApp,
} from '../session.ts';
import { describeRange, resolveRange } from '../times.ts';
import {
  jsonOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from './options.ts';

const POLL_MS = 500;

interface BackfillOptions extends RangeOptions {
  readonly weightShare?: string;
  readonly detach?: boolean;
}

export function registerBackfill(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('backfill'))
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('fetch a range and build its bars')
    .description(
      'Fetches every aggregate trade of a range, proves by id that none is missing,\n' +
        'and builds exact CDV bars. What is proven is not asked for again: run it as\n' +
        'often as you like, also after a crash. Ctrl-C once finishes the hours in\n' +
        'flight, twice stops at once; nothing is lost either way.',
    )
    .addOption(weightShareOption())
    .option('--detach', 'enqueue only; workers elsewhere do the work (cdvault worker)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes: 0 complete and proven, 2 usage, 3 done with recorded gaps, 4 some\n' +
        'slices failed, 5 an outage that may pass, 7 fatal (ban, access, schema, disk),\n' +
        '130 interrupted.\n\n' +
        'Examples:\n  cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-02-01\n' +
        '  cdvault backfill BTCUSDT ETHUSDT --last 30d --weight-share 0.9\n',
    )
    .action(async (symbols: string[], options: BackfillOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      const overrides = weightShareOf(options);
      finish(
        await withApp({ overrides, drains: true }, async (session) => {
          await assertKnown(session.app, series, session.signal);
          const names = series.map(({ symbol }) => symbol).join(' ');
          if (options.json !== true) say(`backfill ${names}: ${describeRange(range)}`);
          return backfill(session, series, range.hours, options);
        }),
      );
    });
}

async function backfill(
  session: Session,
  series: readonly Series[],
  range: TimeRange,
  options: BackfillOptions,
): Promise<ExitCode> {
  const { app, signal } = session;
  const run: Run = {
    runId: newRunId(app.clock.nowMs()),
    series,
    range,
    startedMs: app.clock.nowMs(),
    json: options.json === true,
  };
  const plans = await planAll(app, series, range, signal);
  const totals = await totalsOf(app, plans);
  if (run.json) print(JSON.stringify({ type: 'plan', ...run, plans, ...totals }));
  else if (plans.some(isDue)) say(describePlan(plans, totals));
  assertDisk(totals.bytes, app);

  if (!plans.some(isDue)) return conclude(app, run);
  await enqueueRun(app, run.runId, plans.filter(isDue), range, signal);
  if (options.detach === true) {
    if (!run.json)
      say(`run ${run.runId} is queued; cdvault worker does it, cdvault status shows it`);
    return EXIT.ok;
  }
  const interrupted = await work(session, run, plans.filter(isDue));
  const exitCode = await conclude(app, run);
  return interrupted ? EXIT.interrupted : exitCode;
}

interface Run {
  readonly runId: string;
  readonly series: readonly Series[];
  readonly range: TimeRange;
  readonly startedMs: number;
  readonly json: boolean;
}

/** @returns whether the run was interrupted */
async function work(session: Session, run: Run, due: readonly CostedPlan[]): Promise<boolean> {
  const { app, signal } = session;
  const market = due[0]?.market ?? 'binance_spot';
  const slicesTotal = due.reduce((sum, plan) => sum + plan.dueHours, 0);
  const progress = new BackfillProgress(app, { runId: run.runId, market, slicesTotal }, run.json);
  const workers = app.startWorkers();
  try {
    await watch(app, workers, market, signal, async () => {
      await progress.update();
      return isRunOver(app, run.runId, due);
    });
    return false;
  } catch (error) {
    if (!signal.aborted) throw error;
    return true;
  } finally {
    progress.done();
    await letGo(workers, session);
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

async function letGo(workers: JobWorkers, { signal, stopNow }: Session): Promise<void> {
  if (!signal.aborted) return workers.stop();
  say('finishing the hours in flight; Ctrl-C again stops at once');
  return drainWorkers(workers, stopNow);
}

async function conclude(
  app: App,
  { runId, series, range, startedMs, json }: Run,
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
  const { wantedHours, proven, gap, open, unknown, rows, failures, barsDue } = result;
  const { rows: rowsNow, tradeRequests } = app.totals;
  const lines = [
    `${formatInteger(proven)} of ${counted(wantedHours, 'hour')} proven, ${counted(rows, 'trade')} stored`,
    `${formatInteger(rowsNow)} rows written, ${counted(tradeRequests, 'trade request')}, ${formatDuration(durationMs)}`,
  ];
  if (gap > 0)
    lines.push(`${counted(gap, 'hour')} with gaps: select * from gaps where resolved_at is null`);
  if (open > 0)
    lines.push(
      `${counted(open, 'hour')} open: no later trade exists yet; run the same command later`,
    );
  if (unknown > 0)
    lines.push(`${counted(unknown, 'hour')} not fetched; run the same command to go on`);
  if (barsDue) lines.push('bars or levels are not up to date; run the same command to go on');
  for (const { kind, payload, reason } of failures) {
    lines.push(`failed ${kind} ${JSON.stringify(payload)}: ${reason}`);
  }
  return lines;
}

function counted(count: number, noun: string): string {
  return `${formatInteger(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** 20240101T101112-4f3a: sorts by time; two starts in one second differ. */
function newRunId(nowMs: number): string {
  const time = new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '');
  return `${time}-${Math.floor(Math.random() * 0x10000)
    .toString(16)
    .padStart(4, '0')}`;
}
