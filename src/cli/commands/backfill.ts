import type { Command } from 'commander';
import {
  assertDueServed,
  concludeRun,
  enqueueRun,
  isRunOver,
  type RunResult,
} from '../../app/plan/run-backfill.ts';
import { isDue } from '../../app/plan/plan-series.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import { BackfillProgress } from '../print/backfill-progress.ts';
import type { App } from '../compose.ts';
import {
  assertDisk,
  type CostedPlan,
  describePlan,
  planAll,
  totalsOf,
} from '../print/plan-report.ts';
import {
  failureLine,
  type FileReport,
  fileLines,
  fileReport,
  OPEN_GAPS,
} from '../print/file-report.ts';
import { newRunId } from '../run-id.ts';
import { assertKnown, parseSeries, print, say, type Session, withApp } from '../session.ts';
import { lookAtFolder, sourceOption } from '../input/source-option.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import {
  jsonOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from '../input/options.ts';
import { workUntil } from '../work-until.ts';
import { counted, formatDuration, formatInteger } from '../print/format.ts';

interface BackfillOptions extends RangeOptions {
  readonly weightShare?: string;
  readonly detach?: boolean;
  readonly source: SourceChoice;
}

export function registerBackfill(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('backfill'))
    .argument('<symbols...>', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('fetch a range of trades and build its bars')
    .description(
      'Fetches every aggregate trade of a range, proves by trade id that none is missing, and ' +
        'builds exact CDV bars. Hours that are proven are not fetched again, so you can repeat the ' +
        'command at any time, also after a crash. Ctrl-C once finishes the hours in progress, ' +
        'twice stops at once; no data is lost either way.',
    )
    .addOption(weightShareOption())
    .addOption(sourceOption())
    .option('--detach', 'queue the jobs and exit; "cdvault worker" processes them')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    all hours are proven\n' +
        '  2    invalid usage; nothing was stored or queued\n' +
        '  3    done; some hours have gaps or are open\n' +
        '  4    hours were not fetched or bars not built; mostly jobs failed\n' +
        '  5    temporary outage\n' +
        '  7    fatal: ban, no access, schema, disk\n' +
        '  130  interrupted\n\n' +
        'Examples:\n  cdvault backfill BTCUSDT --from 2024-01-01 --to 2024-02-01\n' +
        '  cdvault backfill BTCUSDT ETHUSDT --last 30d --weight-share 0.9\n',
    )
    .action(async (symbols: string[], options: BackfillOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      const overrides = weightShareOf(options);
      const { source } = options;
      const remarks = await lookAtFolder(source, series, range.hours);
      finish(
        await withApp({ overrides, drains: true }, async (session) => {
          await assertKnown(session.app, series, session.signal, source);
          const names = series.map(({ symbol }) => symbol).join(' ');
          if (options.json !== true) say(`backfill ${names}: ${describeRange(range)}`);
          for (const remark of remarks) say(remark);
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
  if (options.source === 'rest') for (const one of series) await assertDueServed(app, one, range);
  const wanted = { range, choice: options.source };
  const plans = await planAll(app, series, wanted, { signal, isRough: false });
  const totals = await totalsOf(app, plans);
  if (run.json) print(JSON.stringify({ type: 'plan', ...run, plans, ...totals }));
  else if (plans.some(isDue)) say(describePlan(plans, totals));
  assertDisk(totals.bytes, app);

  if (!plans.some(isDue)) return conclude(app, run);
  const request = {
    runId: run.runId,
    series: plans.filter(isDue),
    range,
    source: options.source,
  };
  await enqueueRun(app, request, signal);
  if (options.detach === true) {
    if (!run.json)
      say(`run ${run.runId} is queued; cdvault worker processes it, cdvault status shows it`);
    return EXIT.ok;
  }
  const end = await work(session, run, plans.filter(isDue));
  const exitCode = await conclude(app, run);
  return end === 'interrupted' ? EXIT.interrupted : exitCode;
}

interface Run {
  readonly runId: string;
  readonly series: readonly Series[];
  readonly range: TimeRange;
  readonly startedMs: number;
  readonly json: boolean;
}

async function work(
  session: Session,
  run: Run,
  due: readonly CostedPlan[],
): Promise<'over' | 'interrupted'> {
  const { app } = session;
  const market = due[0]?.market ?? 'binance_spot';
  const slicesTotal = due.reduce((sum, plan) => sum + plan.dueHours, 0);
  const progress = new BackfillProgress(app, { runId: run.runId, market, slicesTotal }, run.json);
  try {
    return await workUntil(session, market, async () => {
      await progress.update();
      return isRunOver(app, run.runId, due);
    });
  } finally {
    progress.done();
  }
}

async function conclude(
  app: App,
  { runId, series, range, startedMs, json }: Run,
): Promise<ExitCode> {
  const result = await concludeRun(app, runId, series, range);
  const files = await fileReport(app, series, range, startedMs);
  const durationMs = app.clock.nowMs() - startedMs;
  if (json) {
    print(
      JSON.stringify({ type: 'summary', runId, durationMs, ...result, ...files, work: app.totals }),
    );
  } else {
    for (const line of summaryLines(app, result, files, durationMs)) say(line);
  }
  return result.exitCode;
}

function summaryLines(
  app: App,
  result: RunResult,
  files: FileReport,
  durationMs: number,
): string[] {
  const { wantedHours, proven, gap, open, unknown, rows, failures, barsDue } = result;
  const { rows: rowsNow, tradeRequests } = app.totals;
  const lines = [
    `${formatInteger(proven)} of ${counted(wantedHours, 'hour')} proven, ${counted(rows, 'trade')} stored`,
    `${formatInteger(rowsNow)} rows written, ${counted(tradeRequests, 'trade request')}, ${formatDuration(durationMs)}`,
  ];
  lines.push(...fileLines(files));
  if (gap > 0) {
    lines.push(`${counted(gap, 'hour')} with gaps: ${OPEN_GAPS}`);
  }
  if (open > 0)
    lines.push(
      files.edges.length > 0
        ? `${counted(open, 'hour')} open: the next trade is not known`
        : `${counted(open, 'hour')} open: no later trade exists yet; run the same command later`,
    );
  if (unknown > 0)
    lines.push(`${counted(unknown, 'hour')} not fetched; run the same command to continue`);
  if (barsDue) lines.push('bars or levels are out of date; run the same command to continue');
  return [...lines, ...failures.map(failureLine)];
}
