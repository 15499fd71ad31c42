import type { Command } from 'commander';
import { type DayRepair, isRepaired, repairDay } from '../../app/repair-range.ts';
import { verifyRange } from '../../app/verify-range.ts';
import { isServed } from '../../app/within-history.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import type { DayReport } from '../../domain/finding.ts';
import { DAY_MS, isoDay, type TimeRange } from '../../domain/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { App } from '../compose.ts';
import { counted } from '../progress-text.ts';
import { newRunId } from '../run-id.ts';
import { assertKnown, parseSeries, print, say, type Session, withApp } from '../session.ts';
import { describeRange, resolveRange } from '../times.ts';
import { exitCodeOf, type SeriesReport, verificationText } from '../verification-text.ts';
import { workUntil } from '../work-until.ts';
import {
  archivesOption,
  jsonOption,
  klinesOption,
  type RangeOptions,
  weightShareOf,
  weightShareOption,
  withRange,
} from './options.ts';

/** Trades first, then the bars that could not be judged while their trades were wrong. */
const ROUNDS = 2;

interface RepairOptions extends RangeOptions {
  readonly klines: boolean;
  readonly archives: boolean;
  readonly weightShare?: string;
}

export function registerRepair(program: Command, finish: (exitCode: ExitCode) => void): void {
  withRange(program.command('repair'))
    .argument('<symbols...>', 'BTCUSDT, btcusdt or BTC/USDT; several at once')
    .summary('fetch again exactly what verify finds missing or wrong')
    .description(
      'Verifies the range, fetches the hours that are not proven or not what was\n' +
        'proven, compares before it writes, redoes the bars and levels that are wrong,\n' +
        'and verifies again. What is in order is not asked for.',
    )
    .addOption(klinesOption())
    .addOption(archivesOption())
    .addOption(weightShareOption())
    .addOption(jsonOption())
    .action(async (symbols: string[], options: RepairOptions) => {
      const series = parseSeries(symbols, options.market);
      const range = resolveRange(options, Date.now());
      finish(
        await withApp({ overrides: weightShareOf(options), drains: true }, async (session) => {
          await assertKnown(session.app, series, session.signal);
          if (options.json !== true) say(describeRange(range));
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
  const reports: SeriesReport[] = [];
  for (const one of series) {
    const report = await repairSeries(session, one, range, options);
    if (report === 'interrupted') return EXIT.interrupted;
    reports.push(report);
  }
  const exitCode = exitCodeOf(reports);
  const { tradeRequests } = session.app.totals;
  if (options.json === true) {
    print(JSON.stringify({ type: 'summary', exitCode, tradeRequests, reports }));
    return exitCode;
  }
  print(verificationText(reports));
  say(counted(tradeRequests, 'trade request'));
  return exitCode;
}

/** Verifies, mends, and verifies the days that were mended, until nothing is left that mending helps. */
async function repairSeries(
  session: Session,
  series: Series,
  range: TimeRange,
  options: RepairOptions,
): Promise<SeriesReport | 'interrupted'> {
  const { app } = session;
  const days = new Map<number, DayReport>();
  let parts: readonly TimeRange[] = [range];
  for (let round = 0; ; round += 1) {
    const runId = newRunId(app.clock.nowMs());
    const repairs: DayRepair[] = [];
    for await (const day of verifyParts(session, series, parts, options)) {
      days.set(day.dayMs, day);
      const done = round < ROUNDS ? await repairDay(app, runId, series, day) : undefined;
      if (done === undefined) continue;
      announce(series, done, options);
      if (options.json !== true) tellUnserved(app, series, done);
      repairs.push(done);
    }
    if (repairs.length === 0) return { ...series, days: [...days.values()] };
    const dayMs = repairs.map((done) => done.dayMs);
    const isOver = () => isRepaired(app.queue, runId, series, dayMs);
    if ((await workUntil(session, series.market, isOver)) === 'interrupted') return 'interrupted';
    parts = dayMs.map((startMs) => ({
      startMs: Math.max(startMs, range.startMs),
      endMs: Math.min(startMs + DAY_MS, range.endMs),
    }));
  }
}

async function* verifyParts(
  { app, signal }: Session,
  series: Series,
  parts: readonly TimeRange[],
  { klines, archives }: RepairOptions,
): AsyncGenerator<DayReport> {
  for (const part of parts) yield* verifyRange(app, series, part, { klines, archives }, signal);
}

/** Said beforehand: whether these can be mended hangs on the files alone. */
function tellUnserved(app: App, series: Series, { dayMs, fetched, refetched }: DayRepair): void {
  const hours = [...fetched, ...refetched].filter((hourMs) => !isServed(app, series, hourMs));
  if (hours.length === 0) return;
  say(
    `${series.symbol} ${isoDay(dayMs)}: ${counted(hours.length, 'hour')} older than futures REST serves; ` +
      'only the exchange’s archive files have them',
  );
}

function announce({ symbol }: Series, done: DayRepair, { json }: RepairOptions): void {
  if (json === true) {
    print(JSON.stringify({ type: 'repair', symbol, ...done }));
    return;
  }
  const parts = [
    done.fetched.length > 0 ? `${counted(done.fetched.length, 'hour')} to fetch` : undefined,
    done.refetched.length > 0
      ? `${counted(done.refetched.length, 'hour')} to fetch again and compare`
      : undefined,
    done.rebuilt ? 'bars to rebuild' : undefined,
  ].filter((part) => part !== undefined);
  say(
    `${symbol} ${isoDay(done.dayMs)}: ${parts.length > 0 ? parts.join(', ') : 'levels to chain'}`,
  );
}
