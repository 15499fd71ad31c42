/** Tables on the terminal. */

import CliTable from 'cli-table3';
import { formatDecimalShort, parseDecimal, QTY_SCALE } from '../domain/decimal.ts';
import { isoMinute } from './times.ts';

/** What the OHLC table needs of a bar; levels are decimal text of scale 8. */
export interface OhlcRow {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: 'final' | 'partial' | 'forming';
  readonly levelFromMs: number;
  /** undefined when the missing ids can't be counted. */
  readonly levelMissing: number | undefined;
}

export interface OhlcOptions {
  /** Decimal places; default 5, or as many as the values need. Never fewer than they need. */
  readonly decimals?: number;
  /** Starts of the bars that were asked for: those that are absent are mentioned. */
  readonly expected?: readonly number[];
  /** Default 80. */
  readonly columns?: number;
}

const NUMBERS = ['open', 'high', 'low', 'close', 'delta'] as const;
const DEFAULT_DECIMALS = 5;
const DEFAULT_COLUMNS = 80;

/**
 * The bars as pandas prints them: `open high low close delta` right-aligned behind an index of bar
 * starts (UTC), with a status column only when some bar is not final, and footnotes for whatever
 * keeps a level from being exact.
 */
export function renderOhlc(bars: readonly OhlcRow[], options: OhlcOptions = {}): string {
  const table = bars.length === 0 ? ['(no bars)'] : ohlcLines(bars, options);
  return [...table, ...ohlcFootnotes(bars, options)].join('\n');
}

/** Remarks below an OHLC table; none when every bar is there, final and exact. */
export function ohlcFootnotes(bars: readonly OhlcRow[], { expected }: OhlcOptions): string[] {
  const notes = [
    statusNote(bars, 'partial', 'their own trades are not all proven'),
    statusNote(bars, 'forming', 'their end is still to come'),
    levelNote(bars),
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

function levelNote(bars: readonly OhlcRow[]): string | undefined {
  const inexact = bars.filter(({ levelMissing }) => levelMissing !== 0);
  const first = inexact[0];
  if (first === undefined) return undefined;
  const counts = inexact
    .map(({ levelMissing }) => levelMissing)
    .filter((count) => count !== undefined);
  const missing =
    counts.length === 0
      ? 'an unknown number of'
      : `up to ${Math.max(...counts).toLocaleString('en-US')}`;
  return `levels from ${isoMinute(first.openMs)} on are not exact: ${missing} trades are missing since ${isoMinute(first.levelFromMs)}`;
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
  return `${absent.toLocaleString('en-US')} ${bar} absent, the first at ${isoMinute(firstMs)}: not fetched, so unknown (not silent)`;
}

interface Layout {
  readonly decimals: number;
  /** Characters of the index kept: with or without seconds. */
  readonly indexChars: 19 | 16;
  readonly gap: 1 | 2;
}

/** The first of these that fits is taken; levels are never cut, only padded less. */
function layouts(asked: number | undefined, needed: number): Layout[] {
  const least = Math.max(asked ?? 0, needed);
  return [
    { decimals: Math.max(asked ?? DEFAULT_DECIMALS, needed), indexChars: 19, gap: 2 },
    { decimals: least, indexChars: 19, gap: 2 },
    { decimals: least, indexChars: 16, gap: 2 },
    { decimals: least, indexChars: 16, gap: 1 },
  ];
}

function ohlcLines(bars: readonly OhlcRow[], options: OhlcOptions): string[] {
  const columns = options.columns ?? DEFAULT_COLUMNS;
  const tables = layouts(options.decimals, neededDecimals(bars)).map((layout) =>
    layOut(bars, layout),
  );
  const fitting = tables.find((lines) => lines.every((line) => line.length <= columns));
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
 * Rows of equal keys as a plain table: the keys are the titles, columns of numbers are right-aligned,
 * numbers get thousands separators. No colours and no frame, so that it can be piped on.
 */
export function renderTable(rows: readonly Readonly<Record<string, Cell>>[]): string {
  const titles = Object.keys(rows[0] ?? {});
  if (titles.length === 0) return '(nothing)';
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
