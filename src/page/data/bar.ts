import type { VisibleRange } from '../view.ts';
import type { BarColumns, BarsAnswer, BarStatus, LevelColumns } from './answers.ts';

/** CDV levels of a bar; decimals as the API's exact text. */
export interface LevelBar {
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: BarStatus;
  /** Ids that are missing since the level was 0; null when that is not known. */
  readonly levelMissing: number | null;
}

/** A stored bar. */
export interface Bar extends LevelBar {
  readonly timeMs: number;
  readonly endMs: number;
  readonly buyVolume: string;
  readonly sellVolume: string;
  readonly quoteDelta: string | null;
  /** undefined when the bar has no trades. */
  readonly price: PriceTexts | undefined;
  readonly aggTrades: number;
  readonly trades: number;
  readonly firstId: number | null;
  readonly lastId: number | null;
  /** When the level was 0. */
  readonly levelFromMs: number;
}

export interface PriceTexts {
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
}

/** A place on the time axis; without a bar where none is stored. */
export interface Point {
  readonly timeMs: number;
  readonly endMs: number;
  readonly bar: Bar | undefined;
}

/** The bars that begin in a range, in order, stored or not. */
export function pointsOf(
  { columns, missing }: BarsAnswer,
  intervalMs: number,
  range: VisibleRange,
): Point[] {
  const points: Point[] = columns.time.map((timeMs, index) => {
    const bar = barAt(columns, index);
    return { timeMs, endMs: bar.endMs, bar };
  });
  for (const [index, fromMs] of missing.from.entries()) {
    const toMs = missing.to[index] ?? fromMs;
    const steps = Math.max(0, Math.ceil((range.fromMs - fromMs) / intervalMs));
    const lastMs = Math.min(toMs, range.toMs);
    for (let timeMs = fromMs + steps * intervalMs; timeMs < lastMs; timeMs += intervalMs)
      points.push({ timeMs, endMs: Math.min(timeMs + intervalMs, toMs), bar: undefined });
  }
  return points.sort((a, b) => a.timeMs - b.timeMs);
}

/** The levels of an answer by the start of their bar. */
export function levelsByTime(columns: LevelColumns): [timeMs: number, bar: LevelBar][] {
  return columns.time.map((timeMs, index) => [timeMs, levelsAt(columns, index)]);
}

function at<T>(column: readonly T[], index: number): T {
  const value = column[index];
  if (value === undefined) throw new RangeError('a column of the answer is too short');
  return value;
}

function levelsAt(columns: LevelColumns, index: number): LevelBar {
  return {
    open: at(columns.open, index),
    high: at(columns.high, index),
    low: at(columns.low, index),
    close: at(columns.close, index),
    delta: at(columns.delta, index),
    status: at(columns.status, index),
    levelMissing: at(columns.levelMissing, index),
  };
}

function barAt(columns: BarColumns, index: number): Bar {
  return {
    ...levelsAt(columns, index),
    timeMs: at(columns.time, index),
    endMs: at(columns.end, index),
    buyVolume: at(columns.buyVolume, index),
    sellVolume: at(columns.sellVolume, index),
    quoteDelta: at(columns.quoteDelta, index),
    price: priceAt(columns, index),
    aggTrades: at(columns.aggTrades, index),
    trades: at(columns.trades, index),
    firstId: at(columns.firstId, index),
    lastId: at(columns.lastId, index),
    levelFromMs: at(columns.levelFrom, index),
  };
}

function priceAt(columns: BarColumns, index: number): PriceTexts | undefined {
  const [open, high, low, close] = [
    columns.priceOpen[index],
    columns.priceHigh[index],
    columns.priceLow[index],
    columns.priceClose[index],
  ];
  // All four are null together.
  if (typeof open !== 'string' || typeof high !== 'string') return undefined;
  if (typeof low !== 'string' || typeof close !== 'string') return undefined;
  return { open, high, low, close };
}
