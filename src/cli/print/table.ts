/** Tables on the terminal. */

import CliTable from 'cli-table3';
import { formatDecimalShort, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { isoMinute } from './format.ts';

/** The fields of a bar that the OHLC table needs; levels are decimal text of scale 8. */
export interface OhlcRow {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: 'final' | 'partial' | 'forming';
  readonly levelFromMs: number;
  /** undefined when the number of missing ids is unknown. */
  readonly levelMissing: number | undefined;
}

interface OhlcOptions {
  /** Starts of the requested bars, epoch ms; a footnote counts those that are absent. */
  readonly expected?: readonly number[];
  /** The anchor of a bar's level, epoch ms; a footnote names levels that count from later than that. */
  readonly anchorOf?: (openMs: number) => number;
}

const NUMBERS = ['open', 'high', 'low', 'close', 'delta'] as const;
/** Fewest decimals of a level; values with more decimals get more. */
const LEAST_DECIMALS = 5;
const COLUMNS = 80;
/** The most stretches of inexact levels that are listed; the rest is counted. */
const STRETCHES = 5;

/**
 * The bars as pandas prints them: an index of bar starts (UTC), then `open high low close delta`,
 * right-aligned. A status column is added only when some bar is not final. Footnotes say which bars are
 * not final or absent, and which levels are not exact.
 */
export function renderOhlc(bars: readonly OhlcRow[], options: OhlcOptions = {}): string {
  const table = bars.length === 0 ? ['(no bars)'] : ohlcLines(bars);
  return [...table, ...ohlcFootnotes(bars, options)].join('\n');
}

/** Footnotes of an OHLC table; none when every bar is present, final and exact. */
export function ohlcFootnotes(
  bars: readonly OhlcRow[],
  { expected, anchorOf }: OhlcOptions,
): string[] {
  const notes = [
    statusNote(bars, 'partial', 'not all trades of the bar are proven'),
    statusNote(bars, 'forming', 'the bar has not ended yet'),
    ...startNotes(bars, anchorOf),
    ...levelNotes(bars),
    deltaNote(bars),
    absentNote(bars, expected),
  ];
  return notes.filter((note) => note !== undefined).map((note) => `* ${note}`);
}

function statusNote(
  bars: readonly OhlcRow[],
  status: OhlcRow['status'],
  meaning: string,
): string | undefined {
  const count = bars.filter((bar) => bar.status === status).length;
  return count === 0 ? undefined : `${count} ${status}: ${meaning}`;
}

/** One note for each start of levels that is later than their anchor. */
function startNotes(bars: readonly OhlcRow[], anchorOf: OhlcOptions['anchorOf']): string[] {
  if (anchorOf === undefined) return [];
  const late = bars.filter(({ openMs, levelFromMs }) => levelFromMs > anchorOf(openMs));
  const notes = [...Map.groupBy(late, ({ levelFromMs }) => levelFromMs)].map(
    ([levelFromMs, [first]]) =>
      `levels from ${isoMinute(first?.openMs ?? levelFromMs)} on count from ${isoMinute(levelFromMs)}: ` +
      `the hours from ${isoMinute(anchorOf(first?.openMs ?? levelFromMs))} to then are not stored`,
  );
  const left = notes.length - STRETCHES;
  return [
    ...notes.slice(0, STRETCHES),
    ...(left > 0 ? [`${left} more starts are later than their anchor; --json lists them`] : []),
  ];
}

/** One note for each stretch of bars whose levels are not exact; bars with exact levels end a stretch. */
function levelNotes(bars: readonly OhlcRow[]): string[] {
  const stretches: { readonly bars: OhlcRow[]; untilMs: number | undefined }[] = [];
  let open: (typeof stretches)[number] | undefined;
  for (const bar of bars) {
    if (bar.levelMissing === 0) {
      if (open !== undefined) open.untilMs = bar.openMs;
      open = undefined;
    } else if (open === undefined) stretches.push((open = { bars: [bar], untilMs: undefined }));
    else open.bars.push(bar);
  }
  const left = stretches.length - STRETCHES;
  return [
    ...stretches
      .slice(0, STRETCHES)
      .map(({ bars: inexact, untilMs }) => levelNote(inexact, untilMs)),
    ...(left > 0 ? [`levels of ${left} more stretches are not exact; --json lists them`] : []),
  ];
}

/** @param untilMs start of the next bar whose level is exact */
function levelNote(inexact: readonly OhlcRow[], untilMs: number | undefined): string {
  const starts = new Set(inexact.map(({ levelFromMs }) => levelFromMs));
  const counts = inexact
    .map(({ levelMissing }) => levelMissing)
    .filter((count) => count !== undefined);
  const missing =
    counts.length < inexact.length
      ? 'an unknown number of trades may be missing'
      : `up to ${Math.max(...counts).toLocaleString('en-US')} trades are missing`;
  const [fromMs = 0] = inexact.map(({ openMs }) => openMs);
  const [levelFromMs = 0] = starts;
  const until = untilMs === undefined ? 'on' : `to ${isoMinute(untilMs)}`;
  const since = starts.size === 1 ? isoMinute(levelFromMs) : 'their anchors';
  return `levels from ${isoMinute(fromMs)} ${until} are not exact: ${missing} since ${since}`;
}

/** An inexact level does not make a bar's own delta inexact: the unknown deltas lie before the bar. */
function deltaNote(bars: readonly OhlcRow[]): string | undefined {
  const areUsable = bars.some(
    ({ levelMissing, status }) => levelMissing !== 0 && status === 'final',
  );
  return areUsable ? 'the delta of every final bar is exact' : undefined;
}

function absentNote(
  bars: readonly OhlcRow[],
  expected: OhlcOptions['expected'],
): string | undefined {
  if (expected === undefined) return undefined;
  const present = new Set(bars.map(({ openMs }) => openMs));
  const missing = expected.filter((startMs) => !present.has(startMs));
  const [firstMs] = missing;
  if (firstMs === undefined) return undefined;
  const absent = missing.length;
  const bar = absent === 1 ? 'bar is' : 'bars are';
  return `${absent.toLocaleString('en-US')} ${bar} absent, the first at ${isoMinute(firstMs)}: not fetched, so unknown (not empty)`;
}

interface Layout {
  readonly decimals: number;
  /** Length of the index: with or without seconds. */
  readonly indexChars: 19 | 16;
  readonly gap: 1 | 2;
}

/** Layouts in order of preference. The first that fits is used; levels are padded less, never cut. */
function layouts(needed: number): Layout[] {
  return [
    { decimals: Math.max(LEAST_DECIMALS, needed), indexChars: 19, gap: 2 },
    { decimals: needed, indexChars: 19, gap: 2 },
    { decimals: needed, indexChars: 16, gap: 2 },
    { decimals: needed, indexChars: 16, gap: 1 },
  ];
}

function ohlcLines(bars: readonly OhlcRow[]): string[] {
  const tables = layouts(neededDecimals(bars)).map((layout) => layOut(bars, layout));
  const fitting = tables.find((lines) => lines.every((line) => line.length <= COLUMNS));
  return fitting ?? tables.at(-1) ?? [];
}

function neededDecimals(bars: readonly OhlcRow[]): number {
  let needed = 0;
  for (const bar of bars) {
    for (const name of NUMBERS) needed = Math.max(needed, fractionOf(shortest(bar[name])).length);
  }
  return needed;
}

function layOut(bars: readonly OhlcRow[], { decimals, indexChars, gap }: Layout): string[] {
  const withStatus = bars.some(({ status }) => status !== 'final');
  const header = ['', ...NUMBERS, ...(withStatus ? ['status'] : [])];
  const rows = bars.map((bar) => [
    new Date(bar.openMs).toISOString().slice(0, indexChars).replace('T', ' '),
    ...NUMBERS.map((name) => padded(shortest(bar[name]), decimals)),
    ...(withStatus ? [bar.status === 'final' ? '' : bar.status] : []),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padStart(widths[column] ?? 0))
      .join(' '.repeat(gap))
      .trimEnd();
  return [line(header), ...rows.map(line)];
}

function shortest(text: string): string {
  return formatDecimalShort(parseDecimal(text, QTY_SCALE), QTY_SCALE);
}

function fractionOf(text: string): string {
  const dot = text.indexOf('.');
  return dot < 0 ? '' : text.slice(dot + 1);
}

function padded(text: string, decimals: number): string {
  if (decimals === 0) return text;
  const fraction = fractionOf(text);
  const whole = fraction === '' ? text : text.slice(0, -fraction.length - 1);
  return `${whole}.${fraction.padEnd(decimals, '0')}`;
}

export type Cell = string | number | undefined;

/**
 * A plain table of rows with equal keys. The keys are the titles, columns of numbers are right-aligned,
 * numbers get thousands separators. No colours and no frame, so that the output can be piped.
 */
export function renderTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const titles = Object.keys(rows[0] ?? {});
  if (titles.length === 0) return '(no rows)';
  const table = new CliTable({
    head: titles,
    colAligns: titles.map((title) =>
      rows.every((row) => typeof row[title] !== 'string') ? 'right' : 'left',
    ),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: NO_FRAME,
  });
  for (const row of rows) table.push(titles.map((title) => cellText(row[title])));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n');
}

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;

function cellText(cell: Cell): string {
  if (cell === undefined) return '';
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : cell;
}
