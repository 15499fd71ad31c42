import type { Market } from '../market.ts';

/** One aggregate trade as received from the exchange: fills of one taker order at one price. */
export interface AggTrade {
  /** `a`: rises by exactly one from trade to trade of a symbol. */
  readonly aggId: number;
  /** `p`, the exchange's own decimal text. */
  readonly price: string;
  /** `q`, the exchange's own decimal text; base asset on spot and USD-M, contracts on COIN-M. */
  readonly qty: string;
  /** `f` and `l`: the raw trades that it aggregates; -1 on a row that the exchange has marked invalid. */
  readonly firstId: number;
  readonly lastId: number;
  /** `T` in microseconds since the epoch (below 2^53 until the year 2255). */
  readonly timeUs: number;
  /** `m`: true when the buyer was the maker, so the taker sold. */
  readonly isBuyerMaker: boolean;
}

/** Spot has microseconds from this instant on: in archive files always, by REST on request. */
const SPOT_MICROSECONDS_FROM_MS = Date.UTC(2025, 0, 1);

/**
 * The unit in which trades of an hour are requested and stored. It never changes: the time is part of a
 * trade's key, so a trade stored once in ms and once in µs would be stored twice.
 */
export function nativeTimeUnit(market: Market, hourMs: number): 'ms' | 'us' {
  return market === 'binance_spot' && hourMs >= SPOT_MICROSECONDS_FROM_MS ? 'us' : 'ms';
}

/**
 * Rows that the exchange itself has marked invalid (2022-04-12: p=0, q=0, f=l=-1) keep their id. They
 * count for continuity, never for sums and bars.
 */
export function isInvalid(trade: AggTrade): boolean {
  return trade.firstId < 0 || isZero(trade.price) || isZero(trade.qty);
}

function isZero(decimal: string): boolean {
  return !/[1-9]/.test(decimal);
}

/**
 * The line of one trade in the content hash: `a,p,q,f,l,T,m` as integers, p and q in units of 1e-8,
 * T in µs, m as 0 or 1. The same trade has the same line from REST and from an archive file.
 */
export function canonicalLine(trade: AggTrade): string {
  return `${trade.aggId},${toE8(trade.price)},${toE8(trade.qty)},${trade.firstId},${trade.lastId},${trade.timeUs},${trade.isBuyerMaker ? 1 : 0}\n`;
}

/** A trade's content besides its id, for evidence. */
export function describeTrade(trade: AggTrade): string {
  const { price, qty, firstId, lastId, timeUs, isBuyerMaker } = trade;
  return `price ${price}, quantity ${qty}, trades ${firstId} to ${lastId}, ${timeUs} µs, taker ${isBuyerMaker ? 'sold' : 'bought'}`;
}

/** "42283.58000000" → "4228358000000", without bigint for speed: this runs twice for every trade. */
function toE8(decimal: string): string {
  const dot = decimal.indexOf('.');
  const whole = dot < 0 ? decimal : decimal.slice(0, dot);
  const fraction = dot < 0 ? '' : decimal.slice(dot + 1);
  // The exchange always gives eight decimal places; other lengths are padded or cut to eight.
  const digits = whole + (fraction.length === 8 ? fraction : fraction.slice(0, 8).padEnd(8, '0'));
  let zeros = 0;
  while (zeros < digits.length - 1 && digits.charCodeAt(zeros) === DIGIT_ZERO) zeros += 1;
  return zeros === 0 ? digits : digits.slice(zeros);
}

const DIGIT_ZERO = 48;
