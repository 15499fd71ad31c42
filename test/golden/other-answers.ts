import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { Bar } from '../../src/domain/bars/bar.ts';
import { parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';

const ONE_E8 = 1e8;

/** Signed quantity in units of 1e-8. */
export function signedE8({ qty, isBuyerMaker }: AggTrade): bigint {
  const units = parseDecimal(qty, QTY_SCALE);
  return isBuyerMaker ? -units : units;
}

export function deltaE8(trades: readonly AggTrade[]): bigint {
  return trades.reduce((sum, trade) => sum + signedE8(trade), 0n);
}

/** A minute as candles show it, without trades. */
interface Candle {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Close of the minute before; for the first minute its own open. */
  readonly before: number;
  readonly volume: number;
}

export const CANDLE_ESTIMATES: readonly ((candle: Candle) => number)[] = [
  ({ open, close, volume }) => volume * Math.sign(close - open),
  ({ before, close, volume }) => volume * Math.sign(close - before),
  ({ open, high, low, close, volume }) =>
    high === low ? 0 : (volume * (close - open)) / (high - low),
  ({ high, low, close, volume }) =>
    high === low ? 0 : (volume * (close - low - (high - close))) / (high - low),
];

export interface Estimate {
  readonly total: number;
  /** Minutes in which the estimate has the wrong sign. */
  readonly wrongMinutes: number;
  /** Minutes in which the estimate is 0. */
  readonly silentMinutes: number;
}

/** @param minutes only minutes with trades: each has prices */
export function estimate(minutes: readonly Bar[], formula: (candle: Candle) => number): Estimate {
  let before: number | undefined;
  let [total, wrongMinutes, silentMinutes] = [0, 0, 0];
  for (const minute of minutes) {
    const candle = candleOf(minute, before);
    before = candle.close;
    const estimated = formula(candle);
    total += estimated;
    if (estimated === 0) silentMinutes += 1;
    else if (Math.sign(estimated) * Number(minute.delta) < 0) wrongMinutes += 1;
  }
  return { total, wrongMinutes, silentMinutes };
}

function candleOf(minute: Bar, before: number | undefined): Candle {
  const [open = NaN, high = NaN, low = NaN, close = NaN] = [
    minute.priceOpen,
    minute.priceHigh,
    minute.priceLow,
    minute.priceClose,
  ].map((price) => Number(price) / ONE_E8);
  const volume = Number(minute.buyVolume + minute.sellVolume) / ONE_E8;
  return { open, high, low, close, volume, before: before ?? open };
}

export interface TickRule {
  readonly totalE8: bigint;
  readonly wrongTrades: number;
  readonly wrongVolumeE8: bigint;
}

/** Side by the tick rule: buy when the price rose, sell when it fell, the side before when it stayed the same. */
export function tickRule(trades: readonly AggTrade[]): TickRule {
  let [totalE8, wrongVolumeE8, wrongTrades] = [0n, 0n, 0];
  let price = Number(trades[0]?.price);
  // No trade comes before the first one: its side is given.
  let isBuy = trades[0]?.isBuyerMaker === false;
  for (const trade of trades) {
    const next = Number(trade.price);
    if (next !== price) isBuy = next > price;
    price = next;
    const units = parseDecimal(trade.qty, QTY_SCALE);
    totalE8 += isBuy ? units : -units;
    if (isBuy !== trade.isBuyerMaker) continue;
    wrongTrades += 1;
    wrongVolumeE8 += units;
  }
  return { totalE8, wrongTrades, wrongVolumeE8 };
}

export interface FloatSum {
  readonly total: number;
  readonly largestError: number;
  /** Number of trades after which the sum is not the double nearest to the exact level. */
  readonly inexactLevels: number;
}

/** @param round rounds every intermediate result: `Math.fround`, or nothing for doubles */
export function floatSum(
  trades: readonly AggTrade[],
  round: (value: number) => number = (value) => value,
): FloatSum {
  let [exactE8, total, largestError, inexactLevels] = [0n, 0, 0, 0];
  for (const trade of trades) {
    exactE8 += signedE8(trade);
    const qty = round(Number(trade.qty));
    total = round(total + (trade.isBuyerMaker ? -qty : qty));
    // A quotient of two whole numbers below 2^53 is the double nearest to the exact value.
    const exact = Number(exactE8) / ONE_E8;
    largestError = Math.max(largestError, Math.abs(total - exact));
    if (total !== exact) inexactLevels += 1;
  }
  return { total, largestError, inexactLevels };
}

/** Counts minutes whose open, high or low would differ if bars opened where the previous one closed. */
export function otherOpenRule(minutes: readonly Bar[]) {
  const opens = minutes.map(({ open, high, low, close, delta }) => {
    const from = close - delta;
    return { open: from !== open, high: from > high, low: from < low };
  });
  return {
    open: opens.filter(({ open }) => open).length,
    high: opens.filter(({ high }) => high).length,
    low: opens.filter(({ low }) => low).length,
  };
}

/** Number of buys minus number of sells, in raw trades (as the exchange counts) and in aggregate trades. */
export function countDeltas(trades: readonly AggTrade[]): { raw: number; aggregate: number } {
  let [raw, aggregate] = [0, 0];
  for (const { firstId, lastId, isBuyerMaker } of trades) {
    const sign = isBuyerMaker ? -1 : 1;
    raw += sign * (lastId - firstId + 1);
    aggregate += sign;
  }
  return { raw, aggregate };
}

/** Counts minutes whose first aggregate trade has several raw trades: a bar of raw trades opens after the first of them. */
export function minutesOpenedByAggregates(trades: readonly AggTrade[], minuteUs: number): number {
  let [minutes, last] = [0, Number.NaN];
  for (const { timeUs, firstId, lastId } of trades) {
    const minute = Math.floor(timeUs / minuteUs);
    if (minute !== last && lastId > firstId) minutes += 1;
    last = minute;
  }
  return minutes;
}
