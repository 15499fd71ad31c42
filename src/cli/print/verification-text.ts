import type { DayReport, Finding, Unheard } from '../../domain/proof/finding.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { isoDay } from '../../domain/time/hour.ts';
import { leavesOutFills, type Series } from '../../domain/market.ts';
import { renderTable } from './table.ts';
import { counted, dayRanges, formatInteger, isoMinute } from './format.ts';

/** Result of verifying one series. */
export interface SeriesReport extends Series {
  readonly days: readonly DayReport[];
}

/** For futures, where there is no second source to compare with. */
export const NO_CANDLES =
  'candles not compared: on futures they include fills that aggregate trades omit (insurance fund, ADL)';

/** 11 when proven data is wrong, 3 when something is not proven or bars are due, else 0. */
export function exitCodeOf(reports: readonly SeriesReport[]): ExitCode {
  const days = reports.flatMap((report) => report.days);
  if (days.some(({ findings }) => findings.length > 0)) return EXIT.mismatch;
  const isWhole = days.every(({ unproven, bars }) => unproven.length === 0 && bars.state !== 'due');
  return isWhole ? EXIT.ok : EXIT.gaps;
}

/** A row of the table, which fits 80 columns even for a busy day. */
export function dayRow({ symbol }: Series, day: DayReport): Record<string, string> {
  const { proven, bars } = day;
  return {
    symbol,
    day: isoDay(day.dayMs),
    proven: `${proven}/${hoursOf(day)}`,
    trades: day.pruned ? 'pruned' : formatInteger(day.rows),
    delta: day.delta,
    bars: 'bars' in bars ? formatInteger(bars.bars) : bars.state,
    klines: klinesText(day),
    verdict: verdictText(day),
  };
}

function hoursOf({ proven, open, gap, unknown }: DayReport): number {
  return proven + open + gap + unknown;
}

function klinesText(day: DayReport): string {
  const { klines } = day;
  if (klines === undefined) return '-';
  if (isHeard(day, 'klines'))
    return `${formatInteger(klines.equal)}/${formatInteger(klines.minutes)}`;
  // "?": the exchange did not answer, or stopped answering part-way.
  return klines.minutes === 0
    ? '?'
    : `${formatInteger(klines.equal)}/${formatInteger(klines.minutes)}?`;
}

function isHeard({ unheard }: DayReport, wanted: Unheard['witness']): boolean {
  return unheard.every(({ witness }) => witness !== wanted);
}

function verdictText(day: DayReport): string {
  if (day.findings.length > 0) return 'WRONG';
  if (day.unproven.length > 0) return 'gaps';
  return day.bars.state === 'due' ? 'bars due' : 'proven';
}

/** Progress: one line for each day. */
export function dayLine({ symbol }: Series, day: DayReport): string {
  return `${symbol} ${isoDay(day.dayMs)}: ${formatInteger(day.rows)} trades, ${verdictText(day)}${isHeard(day, 'klines') ? '' : ', klines not compared'}`;
}

/** The table, then every finding, then what is not proven, then one line of conclusion. */
export function verificationText(
  reports: readonly SeriesReport[],
  verb: 'verify' | 'repair' = 'verify',
): string {
  const lines = [
    renderTable(reports.flatMap((report) => report.days.map((day) => dayRow(report, day)))),
  ];
  for (const { symbol, days } of reports) {
    for (const day of days) {
      lines.push(...day.findings.map((finding) => findingText(symbol, finding)));
      lines.push(...unprovenLines(symbol, day));
      if (day.bars.state === 'due')
        lines.push(`${symbol} ${isoDay(day.dayMs)}: bars are out of date`);
    }
  }
  lines.push(...prunedLines(reports), ...unheardLines(reports));
  if (reports.some(({ market }) => leavesOutFills(market))) lines.push(NO_CANDLES);
  lines.push(conclusion(reports, verb));
  return lines.join('\n');
}

function findingText(symbol: string, { kind, atMs, detail }: Finding): string {
  return `${symbol} ${isoMinute(atMs)} ${kind}: ${detail}`;
}

function unprovenLines(symbol: string, { unproven }: DayReport): string[] {
  return unproven.map(
    ({ hourMs, verdict }) => `${symbol} ${isoMinute(hourMs)} not proven: ${verdict}`,
  );
}

/** What was not checked of days whose trades were pruned: one line for each series. */
export function prunedLines(reports: readonly SeriesReport[]): string[] {
  return reports.flatMap(({ symbol, days }) => {
    const pruned = days.filter((day) => day.pruned).map(({ dayMs }) => dayMs);
    if (pruned.length === 0) return [];
    return `${symbol} ${dayRanges(pruned)}: trades pruned; checked are ids, sums and bars against the ledger, not trades, their hashes, single bars or klines`;
  });
}

const UNHEARD: Readonly<Record<Unheard['witness'], string>> = {
  klines: 'klines not compared',
  files: 'not checked whether archive files have been replaced',
};

/** Checks that could not be made: one line for each series and reason. */
export function unheardLines(reports: readonly SeriesReport[]): string[] {
  const all = reports.flatMap(({ symbol, days }) =>
    days.flatMap(({ dayMs, unheard }) =>
      unheard.map(({ witness, reason }) => ({
        dayMs,
        symbol,
        what: `${UNHEARD[witness]}: ${reason}`,
      })),
    ),
  );
  const groups = Map.groupBy(all, ({ symbol, what }) => `${symbol} ${what}`);
  return [...groups.values()].flatMap((group) =>
    group
      .slice(0, 1)
      .map(
        ({ symbol, what }) => `${symbol} ${dayRanges(group.map(({ dayMs }) => dayMs))}: ${what}`,
      ),
  );
}

/** Appended to a verdict of days whose trades were pruned. */
function withoutTrades(days: readonly DayReport[]): string {
  const without = days.filter(({ pruned }) => pruned).length;
  return without === 0
    ? ''
    : ` as far as they are stored; trades of ${counted(without, 'day')} pruned`;
}

/** Appended to a verdict of days whose candles could not be compared. */
function withoutCandles(days: readonly DayReport[]): string {
  const without = days.filter((day) => !isHeard(day, 'klines')).length;
  return without === 0 ? '' : `; klines of ${counted(without, 'day')} not compared`;
}

/** In days when all days are whole, else in hours. */
function lengthOf(days: readonly DayReport[]): string {
  if (days.every((day) => hoursOf(day) === 24)) return counted(days.length, 'day');
  return counted(
    days.reduce((sum, day) => sum + hoursOf(day), 0),
    'hour',
  );
}

/** @param verb for `repair` the advice to run it is left out */
export function conclusion(
  reports: readonly SeriesReport[],
  verb: 'verify' | 'repair' = 'verify',
): string {
  const days = reports.flatMap((report) => report.days);
  const findings = days.reduce((sum, day) => sum + day.findings.length, 0);
  const unproven = days.reduce((sum, day) => sum + day.unproven.length, 0);
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  const exitCode = exitCodeOf(reports);
  if (exitCode === EXIT.mismatch)
    return `WRONG: ${counted(findings, 'finding')}${verb === 'repair' ? '' : '; run cdvault repair with the same range'}`;
  if (exitCode === EXIT.ok)
    return `proven: ${lengthOf(days)}, ${counted(rows, 'trade')}, all ids, sums and bars verified${withoutTrades(days)}${withoutCandles(days)}`;
  const due = unproven === 0 ? 'bars are due' : `${counted(unproven, 'hour')} not proven`;
  return `nothing wrong, but ${due}${verb === 'repair' ? '' : '; run cdvault repair with the same range'}`;
}
