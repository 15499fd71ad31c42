/** Bars as a table on the terminal. */

import type { BarSizes } from '../../ports/bar-store.ts';
import { ohlcFootnotes, type OhlcOptions, type OhlcRow } from './bar-notes.ts';

/** Groups of columns, in the order of the table. */
export const COLUMN_GROUPS = ['cdv', 'price', 'volume'] as const;
export type ColumnGroup = (typeof COLUMN_GROUPS)[number];

interface Column<Bar> {
  readonly title: string;
  /** Columns of one kind have equally many decimals. */
  readonly kind: 'level' | 'price' | 'size' | 'quote' | 'count';
  /** Decimal text; undefined when it is unknown. */
  readonly of: (bar: Bar) => string | undefined;
}

const CDV: readonly Column<OhlcRow>[] = (['open', 'high', 'low', 'close', 'delta'] as const).map(
  (title) => ({ title, kind: 'level', of: (bar) => bar[title] }),
);

/** Titles are the names of the columns in SQL. */
const GROUPS: Readonly<Record<ColumnGroup, readonly Column<OhlcRow & BarSizes>[]>> = {
  cdv: CDV,
  price: [
    { title: 'price_open', kind: 'price', of: ({ priceOpen }) => priceOpen },
    { title: 'price_high', kind: 'price', of: ({ priceHigh }) => priceHigh },
    { title: 'price_low', kind: 'price', of: ({ priceLow }) => priceLow },
    { title: 'price_close', kind: 'price', of: ({ priceClose }) => priceClose },
  ],
  volume: [
    { title: 'buy_volume', kind: 'size', of: ({ buyVolume }) => buyVolume },
    { title: 'sell_volume', kind: 'size', of: ({ sellVolume }) => sellVolume },
    { title: 'quote_volume', kind: 'quote', of: ({ quoteVolume }) => quoteVolume },
    { title: 'trades', kind: 'count', of: ({ trades }) => String(trades) },
  ],
};

/** Fewest decimals of a level; values with more decimals get more. */
const LEAST_DECIMALS = 5;
const WIDTH = 80;
/** A price of a bar without trades, and the quote volume of some bars of an earlier release. */
const UNKNOWN = '-';

/**
 * The bars as pandas prints them: an index of bar starts (UTC), then `open high low close delta`,
 * right-aligned. A status column is added only when some bar is not final. Footnotes say which bars are
 * not final or absent, and which levels are not exact.
 */
export function renderOhlc(bars: readonly OhlcRow[], options: OhlcOptions = {}): string {
  return withNotes([fittingTable(bars, CDV, WIDTH)], bars, options);
}

/**
 * The groups side by side if `width` is enough, else one below the other.
 * @param width of the terminal
 */
export function renderBars(
  bars: readonly (OhlcRow & BarSizes)[],
  { groups, width }: { readonly groups: readonly ColumnGroup[]; readonly width: number },
  options: OhlcOptions = {},
): string {
  const columns = groups.map((group) => GROUPS[group]);
  const joined = fittingTable(bars, columns.flat(), width);
  const isJoined = groups.length === 1 || joined.every((line) => line.length <= width);
  const tables = isJoined ? [joined] : columns.map((some) => fittingTable(bars, some, WIDTH));
  return withNotes(tables, bars, options);
}

function withNotes(
  tables: readonly (readonly string[])[],
  bars: readonly OhlcRow[],
  options: OhlcOptions,
): string {
  const text = tables.map((lines) => lines.join('\n')).join('\n\n');
  return [bars.length === 0 ? '(no bars)' : text, ...ohlcFootnotes(bars, options)].join('\n');
}

interface Layout {
  /** Fewest decimals of levels. */
  readonly decimals: number;
  /** Length of the index: with or without seconds. */
  readonly indexChars: 19 | 16;
  readonly gap: 1 | 2;
}

/** In order of preference; numbers are padded less, never cut. */
const LAYOUTS: readonly Layout[] = [
  { decimals: LEAST_DECIMALS, indexChars: 19, gap: 2 },
  { decimals: 0, indexChars: 19, gap: 2 },
  { decimals: 0, indexChars: 16, gap: 2 },
  { decimals: 0, indexChars: 16, gap: 1 },
];

/** The first layout that fits, or the narrowest. */
function fittingTable<Bar extends OhlcRow>(
  bars: readonly Bar[],
  columns: readonly Column<Bar>[],
  width: number,
): string[] {
  const tables = LAYOUTS.map((layout) => layOut(bars, columns, layout));
  const fitting = tables.find((lines) => lines.every((line) => line.length <= width));
  return fitting ?? tables.at(-1) ?? [];
}

function layOut<Bar extends OhlcRow>(
  bars: readonly Bar[],
  columns: readonly Column<Bar>[],
  { decimals, indexChars, gap }: Layout,
): string[] {
  const numbers = numberTexts(bars, columns, decimals);
  const withStatus = bars.some(({ status }) => status !== 'final');
  const header = ['', ...columns.map(({ title }) => title), ...(withStatus ? ['status'] : [])];
  const rows = bars.map((bar, row) => [
    new Date(bar.openMs).toISOString().slice(0, indexChars).replace('T', ' '),
    ...numbers.map((texts) => texts[row] ?? UNKNOWN),
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

/** For each column the numbers of the bars; those of one kind have equally many decimals. */
function numberTexts<Bar>(
  bars: readonly Bar[],
  columns: readonly Column<Bar>[],
  leastDecimals: number,
): (string | undefined)[][] {
  const texts = columns.map(({ of }) => bars.map((bar) => shortest(of(bar))));
  const decimals = new Map([['level', leastDecimals]]);
  for (const [index, { kind }] of columns.entries())
    for (const text of texts[index] ?? [])
      decimals.set(kind, Math.max(decimals.get(kind) ?? 0, fractionOf(text ?? '').length));
  return texts.map((column, index) =>
    column.map((text) => padded(text, decimals.get(columns[index]?.kind ?? '') ?? 0)),
  );
}

/** Without the zeros at the end of its decimals. */
function shortest(text: string | undefined): string | undefined {
  return text?.includes('.') === true ? text.replace(/\.?0+$/, '') : text;
}

function fractionOf(text: string): string {
  const dot = text.indexOf('.');
  return dot < 0 ? '' : text.slice(dot + 1);
}

function padded(text: string | undefined, decimals: number): string | undefined {
  if (decimals === 0 || text === undefined) return text;
  const fraction = fractionOf(text);
  const whole = fraction === '' ? text : text.slice(0, -fraction.length - 1);
  return `${whole}.${fraction.padEnd(decimals, '0')}`;
}
