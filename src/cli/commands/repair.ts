import type { Command } from 'commander';
import {
  asks,
  type DayRepair,
  endPruning,
  isRepaired,
  queueRepair,
  repairOf,
} from '../../app/verify/repair-range.ts';
import { verifyRange } from '../../app/verify/verify-range.ts';
import { assertServed, isServed } from '../../app/hour/rest-history.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { DayReport } from '../../domain/proof/finding.ts';
import { DAY_MS, isoDay, spanOfHours, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { FailedJob } from '../../ports/job-queue.ts';
import { BackfillProgress } from '../print/backfill-progress.ts';
import type { App } from '../compose.ts';
import { failureLine, fileLines, fileReport } from '../print/file-report.ts';
import { newRunId } from '../run-id.ts';
import { assertKnown, parseSeries, print, say, type Session, withApp } from '../session.ts';
import { lookAtFolder, sourceOption } from '../input/source-option.ts';
import { describeRange, resolveRange } from '../input/times.ts';
import { exitCodeOf, type SeriesReport, verificationText } from '../print/verification-text.ts';
import { pinSeries } from '../../app/plan/run-backfill.ts';
import { workUntil } from '../work-until.ts';
import {
  archivesOption,
  jsonOption,
  klinesOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from '../input/options.ts';
import { counted } from '../print/format.ts';

/** Trades first, then bars that could not be checked while their trades were wrong. */
const ROUNDS = 2;
const FAILURES_SHOWN = 20;

interface RepairOptions extends RangeOptions {
  readonly klines: boolean;
  readonly archives: boolean;
  readonly pruned?: boolean;
  readonly weightShare?: string;
  readonly source: SourceChoice;
}

export function registerRepair(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('repair'))
    .argument('<symbols...>', 'one or more: BTCUSDT, btcusdt or BTC/USDT')
    .summary('fetch again what verify finds missing or wrong')
    .description(
      'Verifies the range, fetches the hours that are not proven or differ from what was proven, ' +
        'compares before it writes, rebuilds the bars and levels that are wrong, and verifies ' +
        'again. Correct hours are not fetched. With --source auto, repair fetches by REST, and from ' +
        'archive files what REST no longer serves.',
    )
    .addOption(klinesOption())
    .addOption(archivesOption())
    .addOption(sourceOption())
    .option('--pruned', 'also fetch again trades that prune has dropped, and prove them again')
    .addOption(weightShareOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit codes:\n' +
        '  0    everything is proven\n' +
        '  2    invalid usage\n' +
        '  3    something is still not proven\n' +
        '  5    temporary outage\n' +
        '  7    fatal: ban, no access, schema, disk\n' +
        '  11   stored data still differs from the ledger or the candles\n' +
        '  130  interrupted\n',
    )
    .action(async (symbols: string[], options: RepairOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      const { source } = options;
      const remarks = await lookAtFolder(source, series, range.hours);
      finish(
        await withApp({ overrides: weightShareOf(options), drains: true }, async (session) => {
          await assertKnown(session.app, series, session.signal, source);
          if (options.json !== true) say(describeRange(range));
          for (const remark of remarks) say(remark);
          return repair(session, series, range.hours, options);
        }),
      );
    });
}

async function repair(
  session: Session,
  series: readonly Series[],
  range: TimeRange,
  options: RepairOptions,
): Promise<ExitCode> {
  const { app } = session;
  const startedMs = app.clock.nowMs();
  const reports: SeriesReport[] = [];
  const failures: FailedJob[] = [];
  for (const one of series) {
    const end = await repairSeries(session, one, range, options);
    if (end === 'interrupted') return EXIT.interrupted;
    reports.push(end.report);
    failures.push(...end.failures);
  }
  const exitCode = exitCodeOf(reports);
  const { tradeRequests } = app.totals;
  const files = await fileReport(app, series, range, startedMs);
  if (options.json === true) {
    print(
      JSON.stringify({ type: 'summary', exitCode, tradeRequests, reports, failures, ...files }),
    );
    return exitCode;
  }
  print(verificationText(reports, 'repair'));
  if (exitCode !== EXIT.ok) for (const line of fileLines(files)) say(line);
  for (const line of failures.map(failureLine)) say(line);
  say(counted(tradeRequests, 'trade request'));
  return exitCode;
}

interface SeriesEnd {
  readonly report: SeriesReport;
  readonly failures: readonly FailedJob[];
}

/**
 * Verifies, repairs, and verifies the repaired days again, until nothing is left that a repair can fix.
 * @throws CdvaultError when a source that is needed does not respond
 */
async function repairSeries(
  session: Session,
  series: Series,
  range: TimeRange,
  options: RepairOptions,
): Promise<SeriesEnd | 'interrupted'> {
  const { app } = session;
  const days = new Map<number, DayReport>();
  const failures: FailedJob[] = [];
  const tried = new Set<number>();
  let parts: readonly TimeRange[] = [range];
  for (let round = 0; ; round += 1) {
    const repairs: DayRepair[] = [];
    for await (const day of verifyParts(session, series, parts, options)) {
      days.set(day.dayMs, day);
      if (options.pruned === true && (await endPruning(app, series, day)) && options.json !== true)
        say(`${series.symbol} ${isoDay(day.dayMs)}: trades are stored and proven again`);
      const needed = round < ROUNDS ? await repairOf(app, series, day, tried) : undefined;
      if (needed !== undefined) repairs.push(needed);
    }
    const report = { ...series, days: [...days.values()] };
    if (repairs.length === 0) return { report, failures };
    for (const needed of repairs) announce(app, series, needed, options);
    await assertAnswers(session, report, repairs, options);
    const runId = newRunId(app.clock.nowMs());
    await pinSeries(app, series, range.startMs, session.signal);
    for (const needed of repairs) {
      const { findings = [] } = days.get(needed.dayMs) ?? {};
      await queueRepair(app, { runId, series, choice: options.source }, needed, { findings });
      for (const hourMs of [...needed.fetched, ...needed.refetched]) tried.add(hourMs);
    }
    if ((await repairDays(session, { runId, series, repairs }, options)) === 'interrupted')
      return 'interrupted';
    failures.push(...(await app.queue.failures(runId, FAILURES_SHOWN)));
    parts = repairs.map(({ dayMs }) => ({
      startMs: Math.max(dayMs, range.startMs),
      endMs: Math.min(dayMs + DAY_MS, range.endMs),
    }));
  }
}

interface RepairRun {
  readonly runId: string;
  readonly series: Series;
  readonly repairs: readonly DayRepair[];
}

/** Works until the days are repaired. Shows progress if there is anything to fetch. */
async function repairDays(
  session: Session,
  { runId, series, repairs }: RepairRun,
  { json = false }: RepairOptions,
): Promise<'over' | 'interrupted'> {
  const { app } = session;
  const { market } = series;
  const slicesTotal = repairs.reduce(
    (sum, { fetched, refetched }) => sum + fetched.length + refetched.length,
    0,
  );
  const progress = new BackfillProgress(app, { runId, market, slicesTotal }, json);
  const days = repairs.map(({ dayMs }) => dayMs);
  try {
    return await workUntil(session, market, async () => {
      if (slicesTotal > 0) await progress.update();
      return isRepaired(app.queue, runId, series, days);
    });
  } finally {
    progress.done();
  }
}

async function* verifyParts(
  { app, signal }: Session,
  series: Series,
  parts: readonly TimeRange[],
  { klines, archives, pruned }: RepairOptions,
): AsyncGenerator<DayReport> {
  for (const part of parts)
    yield* verifyRange(app, { series, range: part }, { klines, archives, pruned }, signal);
}

/**
 * Sends one small request to each source that will be asked for trades, because jobs would retry for
 * minutes. If a source does not respond, the findings are printed before the error is thrown.
 * @throws CdvaultError that of the source; RETENTION when only REST may be used and no longer serves the hours
 */
async function assertAnswers(
  { app, signal }: Session,
  report: SeriesReport,
  repairs: readonly DayRepair[],
  { source, json }: RepairOptions,
): Promise<void> {
  const series = { market: report.market, symbol: report.symbol };
  const asked = repairs.map((needed) => asks(app, series, needed, source));
  const hours = repairs.flatMap(({ fetched, refetched }) => [...fetched, ...refetched]);
  const span = spanOfHours(hours);
  try {
    if (source === 'rest' && hours.length > 0) assertServed(app, series, span.startMs);
    if (asked.some(({ rest }) => rest)) await app.source.isListed(series, signal);
    if (asked.some(({ files }) => files) && sourceFolder(source) === undefined)
      await app.archive.list(series, span, signal);
  } catch (error) {
    if (json !== true) print(verificationText([report], 'repair'));
    throw error;
  }
}

function announce(
  app: App,
  series: Series,
  needed: DayRepair,
  { json, source }: RepairOptions,
): void {
  const { symbol } = series;
  const { dayMs, fetched, refetched, rebuilt } = needed;
  if (json === true) {
    print(JSON.stringify({ type: 'repair', symbol, ...needed }));
    return;
  }
  const parts = [
    fetched.length > 0 ? `${counted(fetched.length, 'hour')} to fetch` : undefined,
    refetched.length > 0
      ? `${counted(refetched.length, 'hour')} to fetch again and compare`
      : undefined,
    rebuilt ? 'bars to rebuild' : undefined,
  ].filter((part) => part !== undefined);
  const day = `${symbol} ${isoDay(dayMs)}`;
  say(`${day}: ${parts.length > 0 ? parts.join(', ') : 'levels to recompute'}`);
  const old = [...fetched, ...refetched].filter((hourMs) => !isServed(app, series, hourMs));
  if (old.length > 0 && source === 'auto')
    say(
      `${day}: ${counted(old.length, 'hour')} older than futures REST serves; ` +
        'only archive files have them',
    );
}
