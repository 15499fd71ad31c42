/** Price and CDV as a picture of characters. The numbers beside it are exact. */

import type { ShownBar } from '../../ports/chart-data.ts';
import {
  formatDecimalShort,
  parseDecimal,
  PRICE_SCALE,
  QTY_SCALE,
} from '../../domain/trade/decimal.ts';
import { DOTS_ACROSS, DOTS_DOWN, Raster } from './braille.ts';
import { timeAxis } from './time-ticks.ts';

/** Of each pane: two panes, their titles and the time axis fit a terminal of 24 lines. */
const ROWS = 8;
const LEAST_WIDTH = 40;
const MOST_WIDTH = 80;

interface Slot {
  readonly openMs: number;
  /** Exclusive. */
  readonly endMs: number;
}

/** A bar in one pane, in units of the pane's scale. */
interface Candle extends Slot {
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
}

interface Pane {
  readonly title: string;
  readonly scale: number;
  readonly candles: readonly Candle[];
}

/**
 * Nothing is drawn over absent bars, also where one column of dots holds bars besides; a line below the
 * picture marks them.
 * @param slots all bars of the range, stored or not
 * @param width of the terminal; more than 80 columns are not used
 */
export function renderPlot(
  bars: readonly ShownBar[],
  { slots, width }: { readonly slots: readonly Slot[]; readonly width: number },
): string {
  if (bars.length === 0) return '(no bars)';
  const panes = [pricePane(bars), levelPane(bars)];
  const labels = panes.map(labelsOf);
  const margin = Math.max(...labels.flatMap((texts) => [...texts.values()]).map(lengthOf), 6);
  const columns = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, width)) - margin - 2;
  const span = { fromMs: slots[0]?.openMs ?? 0, toMs: slots.at(-1)?.endMs ?? 0 };
  const place = placing(span, columns * DOTS_ACROSS);
  const absent = absentDots(slots, bars, place);
  const lines = panes.flatMap((pane, index) => [
    titleOf(pane),
    ...pictureOf(pane, { columns, place, absent }).map((line, row) => {
      const label = labels[index]?.get(row);
      return `${(label ?? '').padStart(margin)} ${label === undefined ? '│' : '┤'}${line}`;
    }),
  ]);
  const [ticks, times] = timeAxis(span, columns);
  lines.push(`${' '.repeat(margin)} └${ticks}`, `${'UTC'.padStart(margin)}  ${times}`);
  if (absent.size > 0) lines.push(`${'absent'.padStart(margin)}  ${marks(absent, columns)}`);
  return lines.map((line) => line.trimEnd()).join('\n');
}

const lengthOf = ({ length }: string): number => length;

function levelPane(bars: readonly ShownBar[]): Pane {
  const units = (text: string): bigint => parseDecimal(text, QTY_SCALE);
  const candles = bars.map(({ openMs, endMs, open, high, low, close }) => {
    const levels = { open: units(open), high: units(high), low: units(low), close: units(close) };
    return { openMs, endMs, ...levels };
  });
  return { title: 'CDV', scale: QTY_SCALE, candles };
}

/** A bar without trades has no price. */
function pricePane(bars: readonly ShownBar[]): Pane {
  const candles = bars.flatMap(({ openMs, endMs, ...bar }): Candle[] => {
    const prices = [bar.priceOpen, bar.priceHigh, bar.priceLow, bar.priceClose];
    const known = prices.filter((price) => price !== undefined);
    const [open, high, low, close] = known.map((price) => parseDecimal(price, PRICE_SCALE));
    return open === undefined || high === undefined || low === undefined || close === undefined
      ? []
      : [{ openMs, endMs, open, high, low, close }];
  });
  return { title: 'price', scale: PRICE_SCALE, candles };
}

function titleOf({ title, scale, candles }: Pane): string {
  const last = candles.at(-1)?.close;
  return last === undefined
    ? `${title}: no trades`
    : `${title}, last ${formatDecimalShort(last, scale)}`;
}

function rangeOf({ candles: [first, ...rest] }: Pane): { high: bigint; low: bigint } {
  let { high, low } = first ?? { high: 0n, low: 0n };
  for (const candle of rest) {
    if (candle.high > high) high = candle.high;
    if (candle.low < low) low = candle.low;
  }
  return { high, low };
}

/** The row of dots of a value; the highest one has row 0. */
function rowing(pane: Pane): (value: bigint) => number {
  const { high, low } = rangeOf(pane);
  const most = ROWS * DOTS_DOWN - 1;
  if (high === low) return () => Math.floor(most / 2);
  return (value) => Math.round((Number(high - value) / Number(high - low)) * most);
}

/** Texts beside the rows of characters: the highest value, the lowest one, and 0 between them. */
function labelsOf(pane: Pane): ReadonlyMap<number, string> {
  if (pane.candles.length === 0) return new Map();
  const { high, low } = rangeOf(pane);
  const row = rowing(pane);
  const inside = low < 0n && high > 0n ? [0n] : [];
  // The extremes come last: they win where 0 is in their row.
  return new Map(
    [...inside, high, low].map((value) => [
      Math.floor(row(value) / DOTS_DOWN),
      formatDecimalShort(value, pane.scale),
    ]),
  );
}

/** The first and the last column of dots of a slot. */
type Placing = (slot: Slot) => { readonly first: number; readonly last: number };

function placing({ fromMs, toMs }: { fromMs: number; toMs: number }, dots: number): Placing {
  const dotOf = (timeMs: number): number => ((timeMs - fromMs) / (toMs - fromMs)) * dots;
  return ({ openMs, endMs }) => {
    const first = Math.floor(dotOf(openMs));
    return { first, last: Math.max(first, Math.ceil(dotOf(endMs)) - 1) };
  };
}

function absentDots(
  slots: readonly Slot[],
  bars: readonly Slot[],
  place: Placing,
): ReadonlySet<number> {
  const present = new Set(bars.map(({ openMs }) => openMs));
  const dots = new Set<number>();
  for (const slot of slots) {
    if (present.has(slot.openMs)) continue;
    const { first, last } = place(slot);
    for (let dot = first; dot <= last; dot += 1) dots.add(dot);
  }
  return dots;
}

function marks(dots: ReadonlySet<number>, columns: number): string {
  const marked = new Set([...dots].map((dot) => Math.floor(dot / DOTS_ACROSS)));
  return Array.from({ length: columns }, (_, column) => (marked.has(column) ? '×' : ' ')).join('');
}

/** A line from open to close, and high and low in the middle of it. */
function pictureOf(
  pane: Pane,
  { columns, place, absent }: { columns: number; place: Placing; absent: ReadonlySet<number> },
): string[] {
  const raster = new Raster(columns, ROWS);
  const row = rowing(pane);
  for (const candle of pane.candles) {
    const { first, last } = place(candle);
    const [open, close] = [row(candle.open), row(candle.close)];
    const dots = last - first + 1;
    const at = (dot: number): number => Math.round(open + ((close - open) * (dot - first)) / dots);
    const middle = Math.floor((first + last) / 2);
    for (let dot = first; dot <= last; dot += 1) {
      if (absent.has(dot)) continue;
      raster.vertical(dot, at(dot), at(dot + 1));
      if (dot === middle) raster.vertical(dot, row(candle.high), row(candle.low));
    }
  }
  return raster.lines();
}
