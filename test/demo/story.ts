import { join } from 'node:path';
import { syntheticTrades, type SyntheticOptions } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';
import type { Facts, Stretch } from './own-sums.ts';

/** The constants of the demo in one place: the command line, the exchange and the check must agree. */

export const PROJECT = join(import.meta.dirname, '..', '..');

/** A separate home folder, so that the demo never touches the user's data. */
export const HOME = join(PROJECT, '.cdvault', 'demo');

export const SYMBOL = 'BTCUSDT';
/** A whole UTC day, a Tuesday: every session begins in it. */
export const DAY = '2025-06-03';
export const FROM = `${DAY}T00:00Z`;
export const TO = '2025-06-04T00:00Z';
export const STRETCH: Stretch = {
  symbol: SYMBOL,
  fromUs: Date.parse(FROM) * 1000,
  toUs: Date.parse(TO) * 1000,
};

/** Two hours more on either side: an hour is proven by the trades before and after it. */
const MADE_UP = {
  seed: 5,
  fromMs: Date.parse('2025-06-02T22:00Z'),
  toMs: Date.parse('2025-06-04T02:00Z'),
  tradesPerHour: 2_000,
  firstId: 3_700_000_000,
} as const satisfies SyntheticOptions;

export function madeUpTrades(): TradeSeries {
  return syntheticTrades(MADE_UP);
}

/** The same trades as an argument of the simulated exchange. */
export function syntheticArgument(): string {
  const { seed, fromMs, toMs, tradesPerHour, firstId } = MADE_UP;
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString());
  return [SYMBOL, seed, from, to, tradesPerHour, firstId].join(':');
}

/** What the last step prints. README shows it. */
export const CHECK = 'Check: compute the same numbers from the made-up trades, without cdvault';

export function allEqual({ rows, firstId, lastId, delta, minutes }: Facts): string {
  return (
    `   All equal to the last digit: ${rows.toLocaleString('en-US')} trades, ids ${firstId} to ${lastId},\n` +
    `   delta ${delta}, and open, high, low and close of ${minutes.length} minutes.`
  );
}
