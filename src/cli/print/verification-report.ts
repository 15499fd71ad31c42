import { isoDay, isoHour, type TimeRange } from '../../domain/time/hour.ts';
import { leavesOutFills, marketName, type Series } from '../../domain/market.ts';
import type { DayReport } from '../../domain/proof/finding.ts';
import {
  conclusion,
  dayRow,
  NO_CANDLES,
  prunedLines,
  type SeriesReport,
  unheardLines,
} from './verification-text.ts';

interface ReportFacts {
  readonly range: TimeRange;
  readonly nowMs: number;
  readonly version: string;
}

/**
 * The proof as a Markdown document: what was checked and how, the verdict on each day, the content hash
 * of each hour, and the command that repeats the verification.
 */
export function verificationReport(
  reports: readonly SeriesReport[],
  { range, nowMs, version }: ReportFacts,
): string {
  const [from, to] = [iso(range.startMs), iso(range.endMs)];
  const symbols = reports.map(({ symbol }) => symbol).join(' ');
  const market = reports[0] === undefined ? 'spot' : marketName(reports[0].market);
  return [
    `# Verification of ${symbols}, ${from} to ${to}`,
    '',
    `- result: ${conclusion(reports)}`,
    `- created ${iso(nowMs)} by cdvault ${version}`,
    `- command: \`cdvault verify ${symbols} --market ${market} --from ${from} --to ${to}\``,
    '',
    'Every stored trade was read again. `proven`: hours whose ids are contiguous and adjoin a trade',
    'before the hour and one after it. `trades` and `delta`: number and exact sum of signed quantities',
    'of the stored trades of these hours. `bars`: stored bars that contain a minute of these hours and',
    'equal a second computation from the trades, digit for digit, at every interval. `klines`: minutes',
    'of these hours whose volume, taker buy volume, number of trades, open, high, low and close equal',
    'the exchange’s candles exactly.',
    ...(reports.some((report) => leavesOutFills(report.market)) ? ['', NO_CANDLES] : []),
    ...[...prunedLines(reports), ...unheardLines(reports)].flatMap((line) => ['', line]),
    '',
    '## Days',
    '',
    ...markdownTable(reports.flatMap((report) => report.days.map((day) => dayRow(report, day)))),
    '',
    '## Findings',
    '',
    ...findingLines(reports),
    '',
    '## Content hashes',
    '',
    'SHA-256 of one line for each trade of the hour’s run of ids, in id order:',
    '`a,p,q,f,l,T,m` as integers, price and quantity × 10^8, time in microseconds, m as 0 or 1.',
    'Each line ends with a line feed.',
    '',
    ...markdownTable(
      reports.flatMap((report) => report.days.flatMap((day) => hashRows(report, day))),
    ),
    '',
  ].join('\n');
}

function findingLines(reports: readonly SeriesReport[]): string[] {
  const lines = reports.flatMap(({ symbol, days }) =>
    days.flatMap(({ findings, unproven, dayMs, bars }) => [
      ...findings.map(
        ({ kind, atMs, detail }) => `- ${symbol} ${iso(atMs)} \`${kind}\`: ${detail}`,
      ),
      ...unproven.map(({ hourMs, verdict }) => `- ${symbol} ${iso(hourMs)} not proven: ${verdict}`),
      ...(bars.state === 'due' ? [`- ${symbol} ${isoDay(dayMs)}: bars are due`] : []),
    ]),
  );
  return lines.length > 0 ? lines : ['None.'];
}

function hashRows({ symbol }: Series, { hashes }: DayReport): Record<string, string>[] {
  return hashes.map(({ hourMs, rows, contentHash }) => ({
    symbol,
    hour: isoHour(hourMs),
    trades: String(rows),
    sha256: `\`${contentHash}\``,
  }));
}

function markdownTable(rows: readonly Record<string, string>[]): string[] {
  const [first] = rows;
  if (first === undefined) return ['None.'];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const names = Object.keys(first);
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ];
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}
