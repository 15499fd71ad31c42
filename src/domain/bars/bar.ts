import { formatDecimal, PRICE_SCALE, QTY_SCALE, QUOTE_SCALE } from '../trade/decimal.ts';

/** The CDV levels of a bar, in units of 1e-8. */
export interface LevelBar {
  readonly openMs: number;
  /** CDV after the bar's first trade, its maximum, its minimum, and after the last trade; all equal in a silent bar. */
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  /** Σ signed quantity of the bar's own trades. */
  readonly delta: bigint;
  /** Number of aggregate trades; 0 marks a silent bar. */
  readonly aggTrades: number;
}

/**
 * One exact bar `[openMs, openMs + interval)`. Quantities are in units of 1e-8, quote amounts
 * (price × quantity) in units of 1e-16.
 */
export interface Bar extends LevelBar {
  readonly buyVolume: bigint;
  readonly sellVolume: bigint;
  readonly quoteDelta: bigint;
  readonly quoteVolume: bigint;
  /** The exchange's own trade count, Σ (last_id − first_id + 1). */
  readonly trades: number;
  /** The part of `aggTrades` and `trades` whose taker bought; the rest sold. */
  readonly buyAggTrades: number;
  readonly buyTrades: number;
  /** undefined in a silent bar. */
  readonly priceOpen: bigint | undefined;
  readonly priceHigh: bigint | undefined;
  readonly priceLow: bigint | undefined;
  readonly priceClose: bigint | undefined;
  /** Lowest and highest aggregate id of the bar; undefined in a silent bar. */
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
}

/** A bar as in the exact tables: the same fields, every bigint as decimal text of full scale. */
export type BarText = {
  readonly [Field in keyof Bar]: bigint extends Bar[Field]
    ? string | Exclude<Bar[Field], bigint>
    : Bar[Field];
};

export function barText(bar: Bar): BarText {
  return {
    openMs: bar.openMs,
    open: formatDecimal(bar.open, QTY_SCALE),
    high: formatDecimal(bar.high, QTY_SCALE),
    low: formatDecimal(bar.low, QTY_SCALE),
    close: formatDecimal(bar.close, QTY_SCALE),
    delta: formatDecimal(bar.delta, QTY_SCALE),
    buyVolume: formatDecimal(bar.buyVolume, QTY_SCALE),
    sellVolume: formatDecimal(bar.sellVolume, QTY_SCALE),
    quoteDelta: formatDecimal(bar.quoteDelta, QUOTE_SCALE),
    quoteVolume: formatDecimal(bar.quoteVolume, QUOTE_SCALE),
    aggTrades: bar.aggTrades,
    trades: bar.trades,
    buyAggTrades: bar.buyAggTrades,
    buyTrades: bar.buyTrades,
    priceOpen: priceText(bar.priceOpen),
    priceHigh: priceText(bar.priceHigh),
    priceLow: priceText(bar.priceLow),
    priceClose: priceText(bar.priceClose),
    firstId: bar.firstId,
    lastId: bar.lastId,
  };
}

function priceText(price: bigint | undefined): string | undefined {
  return price === undefined ? undefined : formatDecimal(price, PRICE_SCALE);
}

/** The bar of an interval without trades. */
export function silentBar(openMs: number, level: bigint): Bar {
  return {
    openMs,
    open: level,
    high: level,
    low: level,
    close: level,
    delta: 0n,
    buyVolume: 0n,
    sellVolume: 0n,
    quoteDelta: 0n,
    quoteVolume: 0n,
    aggTrades: 0,
    trades: 0,
    buyAggTrades: 0,
    buyTrades: 0,
    priceOpen: undefined,
    priceHigh: undefined,
    priceLow: undefined,
    priceClose: undefined,
    firstId: undefined,
    lastId: undefined,
  };
}

/**
 * Rolls bars up to a coarser interval, which must be a multiple of theirs. The open is that of the first
 * bar with trades. Silent bars do not count for high and low unless all are silent: their level is
 * carried over and is no trade of this bar.
 */
export function* rollUp(bars: Iterable<Bar>, intervalMs: number): Generator<Bar> {
  let group: Bar | undefined;
  for (const bar of bars) {
    const openMs = Math.floor(bar.openMs / intervalMs) * intervalMs;
    if (group !== undefined && group.openMs === openMs) {
      group = merge(group, bar);
      continue;
    }
    if (group !== undefined) yield group;
    group = { ...bar, openMs };
  }
  if (group !== undefined) yield group;
}

/** Merges two consecutive bars whose levels count from the same start. */
export function mergeLevels(left: LevelBar, right: LevelBar): LevelBar {
  if (right.aggTrades === 0) return left;
  if (left.aggTrades === 0) return { ...right, openMs: left.openMs };
  return {
    openMs: left.openMs,
    open: left.open,
    high: max(left.high, right.high),
    low: min(left.low, right.low),
    close: right.close,
    delta: left.delta + right.delta,
    aggTrades: left.aggTrades + right.aggTrades,
  };
}

/**
 * The other convention: a bar opens where the one before it closed. The first bar after an anchor opens
 * at 0; a silent bar does not change.
 */
export function openAtPrevious(bar: LevelBar): LevelBar {
  const open = bar.close - bar.delta;
  return { ...bar, open, high: max(bar.high, open), low: min(bar.low, open) };
}

function merge(left: Bar, right: Bar): Bar {
  if (right.aggTrades === 0) return left;
  if (left.aggTrades === 0) return { ...right, openMs: left.openMs };
  return {
    ...mergeLevels(left, right),
    buyVolume: left.buyVolume + right.buyVolume,
    sellVolume: left.sellVolume + right.sellVolume,
    quoteDelta: left.quoteDelta + right.quoteDelta,
    quoteVolume: left.quoteVolume + right.quoteVolume,
    trades: left.trades + right.trades,
    buyAggTrades: left.buyAggTrades + right.buyAggTrades,
    buyTrades: left.buyTrades + right.buyTrades,
    priceOpen: left.priceOpen,
    priceHigh: merged(max, left.priceHigh, right.priceHigh),
    priceLow: merged(min, left.priceLow, right.priceLow),
    priceClose: right.priceClose,
    firstId: merged(Math.min, left.firstId, right.firstId),
    lastId: merged(Math.max, left.lastId, right.lastId),
  };
}

function merged<T>(
  choose: (left: T, right: T) => T,
  left: T | undefined,
  right: T | undefined,
): T | undefined {
  return left === undefined || right === undefined ? (left ?? right) : choose(left, right);
}

function max(left: bigint, right: bigint): bigint {
  return left > right ? left : right;
}

function min(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}
