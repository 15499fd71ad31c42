/** A day's bars by additions: levels, silent minutes, longer intervals and tiers from its distilled hours. */

import { CdvaultError } from '../errors.ts';
import { DAY_MS, floorTo, HOUR_MS, isoDay, MINUTE_MS } from '../time/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../time/interval.ts';
import { barStatus, type BarStatus, type DayInputs } from './day.ts';
import type { BySide, DistilledHour, DistilledMinute, DistilledSums } from './distilled.ts';
import { TIER_INTERVALS, type TierBounds, type TierInterval } from './tier.ts';

/** One bar of all trades or of one tier, as stored. Levels and quantities in units of 1e-8. */
export interface DayBar {
  readonly openMs: number;
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  readonly buyE8: bigint;
  readonly sellE8: bigint;
  readonly aggTrades: number;
  readonly trades: number;
  readonly status: BarStatus;
  readonly levelMissing: number | undefined;
  /** What only bars of all trades have; undefined in a bar without trades and in those of tiers. */
  readonly traded: Traded | undefined;
}

/** Facts of a bar's trades besides its sums of quantity. */
type Traded = Omit<DistilledMinute, keyof DistilledSums | 'openMs' | 'tiers'>;

export interface DayBars {
  readonly bars: ReadonlyMap<Interval, readonly DayBar[]>;
  /** By interval, then by tier in the order of the bounds. */
  readonly tiers: ReadonlyMap<TierInterval, readonly (readonly DayBar[])[]>;
}

/** What a column of the exact tables holds: 38 digits, of quantities and levels as of quote amounts. */
const COLUMN_LIMIT = 10n ** 38n;

/**
 * @param hours distilled hours of the day, by their start: one for each hour of `day`
 * @param tiers none when the contract size is unknown
 * @throws CdvaultError SUM_TOO_LARGE
 */
export function dayBars(
  day: DayInputs,
  hours: ReadonlyMap<number, DistilledHour>,
  tiers: TierBounds,
): DayBars {
  const minutes = minutesOf(day, hours);
  const all = levelled(minutes, (minute) => minute, true);
  const ofTiers = tiers.map((_, tier) => levelled(minutes, (minute) => minute?.tiers[tier], false));
  const bars = new Map(INTERVALS.map((interval) => [interval, rolledUp(day, all, interval)]));
  assertFits(day, bars.get('1d') ?? []);
  return {
    bars,
    tiers: new Map(
      TIER_INTERVALS.map((interval) => [
        interval,
        ofTiers.map((tier) => rolledUp(day, tier, interval)),
      ]),
    ),
  };
}

/** What the ledger says about the hours of a bar. */
type Trust = Pick<DayBar, 'status' | 'levelMissing'>;

/** A minute that has a bar. */
interface Minute {
  readonly openMs: number;
  /** Of its hour. */
  readonly trust: Trust;
  /** undefined in a silent minute. */
  readonly distilled: DistilledMinute | undefined;
}

/** All minutes of proven hours, and those with trades of the others. */
function minutesOf(day: DayInputs, hours: ReadonlyMap<number, DistilledHour>): Minute[] {
  const minutes: Minute[] = [];
  for (const { hourMs, verdict } of day.hours) {
    const trust = trustIn(day, hourMs, HOUR_MS);
    const ofHour = new Map(hours.get(hourMs)?.minutes.map((minute) => [minute.openMs, minute]));
    for (let openMs = hourMs; openMs < hourMs + HOUR_MS; openMs += MINUTE_MS) {
      const distilled = ofHour.get(openMs);
      if (distilled !== undefined || verdict === 'proven')
        minutes.push({ openMs, trust, distilled });
    }
  }
  return minutes;
}

/** Minute bars with levels that count from the day's first minute. */
function levelled(
  minutes: readonly Minute[],
  sumsOf: (minute: DistilledMinute | undefined) => DistilledSums | undefined,
  isOfAll: boolean,
): DayBar[] {
  let level = 0n;
  return minutes.map(({ openMs, trust, distilled }) => {
    const sums = sumsOf(distilled);
    if (sums === undefined) return silent(openMs, level, trust);
    const { first, highest, lowest, buyE8, sellE8, aggTrades, trades } = sums;
    const before = level;
    level += buyE8 - sellE8;
    return {
      openMs,
      open: before + first,
      high: before + highest,
      low: before + lowest,
      close: level,
      buyE8,
      sellE8,
      aggTrades,
      trades,
      status: trust.status,
      levelMissing: trust.levelMissing,
      traded: isOfAll ? distilled : undefined,
    };
  });
}

/** The bar of a minute without trades: the level before it, and no sums. */
function silent(openMs: number, level: bigint, { status, levelMissing }: Trust): DayBar {
  return {
    openMs,
    open: level,
    high: level,
    low: level,
    close: level,
    buyE8: 0n,
    sellE8: 0n,
    aggTrades: 0,
    trades: 0,
    status,
    levelMissing,
    traded: undefined,
  };
}

/**
 * Longer bars over the minutes. The level of a silent minute is no trade's: it counts only where all
 * minutes are silent.
 */
function rolledUp(
  day: DayInputs,
  minutes: readonly DayBar[],
  interval: Interval,
): readonly DayBar[] {
  if (interval === '1m') return minutes;
  const intervalMs = INTERVAL_MS[interval];
  const bars: DayBar[] = [];
  let bar: DayBar | undefined;
  for (const minute of minutes) {
    const openMs = floorTo(minute.openMs, intervalMs);
    if (bar?.openMs === openMs) {
      if (minute.aggTrades > 0) bar = plus(bar, minute);
      continue;
    }
    if (bar !== undefined) bars.push(bar);
    const trust = intervalMs > HOUR_MS ? trustIn(day, openMs, intervalMs) : undefined;
    bar = { ...minute, openMs, ...trust };
  }
  if (bar !== undefined) bars.push(bar);
  return bars;
}

function trustIn(day: DayInputs, startMs: number, spanMs: number): Trust {
  const levelMissing = missingIn(day, startMs, startMs + spanMs);
  return { status: barStatus(day, startMs, spanMs), levelMissing };
}

/** The most missing ids of the stored hours in a span, also of those without a bar. */
function missingIn({ hours, missing }: DayInputs, startMs: number, endMs: number) {
  if (missing === undefined) return undefined;
  const within = hours.filter(({ hourMs }) => hourMs >= startMs && hourMs < endMs);
  return Math.max(0, ...within.map(({ levelMissing }) => levelMissing ?? 0));
}

/** @param minute with trades */
function plus(bar: DayBar, minute: DayBar): DayBar {
  const isFirst = bar.aggTrades === 0;
  return {
    openMs: bar.openMs,
    open: isFirst ? minute.open : bar.open,
    high: isFirst || minute.high > bar.high ? minute.high : bar.high,
    low: isFirst || minute.low < bar.low ? minute.low : bar.low,
    close: minute.close,
    buyE8: bar.buyE8 + minute.buyE8,
    sellE8: bar.sellE8 + minute.sellE8,
    aggTrades: bar.aggTrades + minute.aggTrades,
    trades: bar.trades + minute.trades,
    status: bar.status,
    levelMissing: bar.levelMissing,
    traded: bothTraded(bar.traded, minute.traded),
  };
}

function bothTraded(left: Traded | undefined, right: Traded | undefined): Traded | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return {
    buyAggTrades: left.buyAggTrades + right.buyAggTrades,
    buyTrades: left.buyTrades + right.buyTrades,
    quoteE16: bothSides(left.quoteE16, right.quoteE16),
    baseE24: bothSides(left.baseE24, right.baseE24),
    priceOpen: left.priceOpen,
    priceHigh: left.priceHigh > right.priceHigh ? left.priceHigh : right.priceHigh,
    priceLow: left.priceLow < right.priceLow ? left.priceLow : right.priceLow,
    priceClose: right.priceClose,
    firstId: Math.min(left.firstId, right.firstId),
    lastId: Math.max(left.lastId, right.lastId),
  };
}

function bothSides(left: BySide | undefined, right: BySide | undefined): BySide | undefined {
  if (left === undefined || right === undefined) return undefined;
  return { buy: left.buy + right.buy, sell: left.sell + right.sell };
}

/** No level, sum or quote amount of the day is greater than these. */
function assertFits({ dayMs }: DayInputs, [day]: readonly DayBar[]): void {
  if (day === undefined) return;
  const { buy = 0n, sell = 0n } = day.traded?.quoteE16 ?? {};
  const isTooLarge =
    day.buyE8 >= COLUMN_LIMIT ||
    day.sellE8 >= COLUMN_LIMIT ||
    buy + sell >= COLUMN_LIMIT ||
    !Number.isSafeInteger(day.trades);
  if (!isTooLarge) return;
  throw new CdvaultError(
    'SUM_TOO_LARGE',
    `a sum over ${isoDay(dayMs)} to ${isoDay(dayMs + DAY_MS)} has more digits than its column holds`,
  );
}
