import type { Trade, TradeSeries } from '../exchange/trade-series.ts';

export const DAY = Date.UTC(2024, 0, 1);
const DAY_US = 86_400_000_000;
const MINUTE_US = 60_000_000;
const E8 = 1e8;
const E16 = 1e16;

/** A trade in numbers. Sums of units of 1e-8 are exact below 2^53, which no day here reaches. */
export interface DayTrade {
  readonly id: number;
  /** Microseconds since the day's midnight. */
  readonly us: number;
  readonly price: number;
  readonly units: number;
  readonly sign: 1 | -1;
  readonly raw: number;
  /** Price × quantity in units of 1e-16. */
  readonly quote: bigint;
}

/** Sums of a bar; levels are CDV since midnight. Amounts are in coins, those of the quote in the quote asset. */
export interface DayBar {
  readonly at: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly delta: number;
  readonly buy: number;
  readonly sell: number;
  readonly volume: number;
  readonly quoteBuy: number;
  readonly quoteSell: number;
  readonly quoteDelta: number;
  readonly count: number;
  readonly countDelta: number;
  readonly raw: number;
  readonly rawDelta: number;
  readonly price: {
    readonly open: number;
    readonly high: number;
    readonly low: number;
    readonly close: number;
  };
}

/** The trades of 2024-01-01 from the simulator's series, without code of cdvault. */
export function dayTrades(series: TradeSeries): DayTrade[] {
  const end = series.indexAtTime(DAY * 1000 + DAY_US);
  const trades: DayTrade[] = [];
  for (let index = series.indexAtTime(DAY * 1000); index < end; index += 1)
    trades.push(dayTrade(series.at(index)));
  return trades;
}

function dayTrade({ a, p, q, f, l, timeUs, m }: Trade): DayTrade {
  return {
    id: a,
    // Trades before 2025 are in milliseconds.
    us: Math.floor(timeUs / 1000) * 1000 - DAY * 1000,
    price: Number(p),
    units: Math.round(Number(q) * E8),
    sign: m ? -1 : 1,
    raw: l - f + 1,
    quote: BigInt(p.replace('.', '')) * BigInt(q.replace('.', '')),
  };
}

/** A timestamp in the server's format. */
export function stamp(us: number): string {
  return new Date(DAY + us / 1000).toISOString().replace('T', ' ').replace('Z', '000');
}

/** @param time a time of the day, such as `10:44` */
export function usOf(time: string): number {
  return Date.parse(`1970-01-01T${time}Z`) * 1000;
}

export function within(trades: readonly DayTrade[], from: string, to: string): DayTrade[] {
  return trades.filter((trade) => trade.us >= usOf(from) && trade.us < usOf(to));
}

export function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Every bar of the day from some or all of its trades; the prices of a bar without trades are NaN. */
export function dayBars(trades: readonly DayTrade[], minutes: number): readonly DayBar[] {
  const ofTrades = KNOWN_BARS.get(trades) ?? new Map<number, readonly DayBar[]>();
  KNOWN_BARS.set(trades, ofTrades);
  const bars = ofTrades.get(minutes) ?? addUp(trades, minutes);
  ofTrades.set(minutes, bars);
  return bars;
}

/** A cache: most recipes need the same few bars, and the real day has 863,403 trades. */
const KNOWN_BARS = new WeakMap<readonly DayTrade[], Map<number, readonly DayBar[]>>();

function addUp(trades: readonly DayTrade[], minutes: number): readonly DayBar[] {
  const barUs = minutes * MINUTE_US;
  const byBar = Map.groupBy(trades, ({ us }) => Math.floor(us / barUs));
  let level = 0;
  return Array.from({ length: DAY_US / barUs }, (_, number) => {
    const bar = dayBar(stamp(number * barUs), level, byBar.get(number) ?? []);
    level = Math.round(bar.close * E8);
    return bar;
  });
}

function dayBar(at: string, before: number, trades: readonly DayTrade[]): DayBar {
  let level = before;
  const levels = trades.map(({ sign, units }) => (level += sign * units) / E8);
  const prices = trades.map(({ price }) => price);
  const buys = trades.filter(({ sign }) => sign === 1);
  const sells = trades.filter(({ sign }) => sign === -1);
  const [buy, sell] = [buys, sells].map((side) => sum(side, 'units'));
  const [quoteBuy, quoteSell] = [buys, sells].map((side) =>
    side.reduce((total, { quote }) => total + quote, 0n),
  );
  return {
    at,
    ...ends(levels.length === 0 ? [before / E8] : levels),
    delta: ((buy ?? 0) - (sell ?? 0)) / E8,
    buy: (buy ?? 0) / E8,
    sell: (sell ?? 0) / E8,
    volume: ((buy ?? 0) + (sell ?? 0)) / E8,
    quoteBuy: Number(quoteBuy) / E16,
    quoteSell: Number(quoteSell) / E16,
    quoteDelta: Number((quoteBuy ?? 0n) - (quoteSell ?? 0n)) / E16,
    count: trades.length,
    countDelta: buys.length - sells.length,
    raw: sum(trades, 'raw'),
    rawDelta: sum(buys, 'raw') - sum(sells, 'raw'),
    price: ends(prices.length === 0 ? [Number.NaN] : prices),
  };
}

function sum(trades: readonly DayTrade[], field: 'units' | 'raw'): number {
  return trades.reduce((total, trade) => total + trade[field], 0);
}

function ends(values: readonly number[]) {
  return {
    open: values[0] ?? Number.NaN,
    high: values.reduce((most, value) => Math.max(most, value), -Infinity),
    low: values.reduce((least, value) => Math.min(least, value), Infinity),
    close: values.at(-1) ?? Number.NaN,
  };
}
