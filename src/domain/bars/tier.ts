import type { Interval } from '../time/interval.ts';

/**
 * Lower bounds of trade sizes in whole units of the quote currency, ascending, the first 0. A trade
 * belongs to the highest tier whose bound its value (price × quantity) reaches.
 */
export type TierBounds = readonly number[];

/** The classes in common use: retail, the bulk, large, and whales. */
export const DEFAULT_TIERS: TierBounds = [0, 10_000, 100_000, 1_000_000];

/** The intervals for which tiers have a table; others are rolled up from 1m by the query. */
export const TIER_INTERVALS = ['1m', '1h', '1d'] as const satisfies readonly Interval[];
export type TierInterval = (typeof TIER_INTERVALS)[number];
