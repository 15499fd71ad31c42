/** What an hour's trades come to, as far as its bars need it. */

/**
 * Sums over the trades of one minute, or over those of one tier in it. The running sum counts from the
 * minute's own start; units of 1e-8. Its last value is buyE8 − sellE8.
 */
export interface DistilledSums {
  readonly first: bigint;
  readonly highest: bigint;
  readonly lowest: bigint;
  readonly buyE8: bigint;
  readonly sellE8: bigint;
  readonly aggTrades: number;
  /** The exchange's own trade count. */
  readonly trades: number;
}

/** Sums by taker side. */
export interface BySide {
  readonly buy: bigint;
  readonly sell: bigint;
}

/** A minute with at least one valid trade. */
export interface DistilledMinute extends DistilledSums {
  readonly openMs: number;
  readonly buyAggTrades: number;
  readonly buyTrades: number;
  /** Value in quote currency, units of 1e-16; undefined for contracts of unknown size. */
  readonly quoteE16: BySide | undefined;
  /** Σ contracts × size ÷ price, units of 1e-24; only for contracts of known size. */
  readonly baseE24: BySide | undefined;
  readonly priceOpen: bigint;
  readonly priceHigh: bigint;
  readonly priceLow: bigint;
  readonly priceClose: bigint;
  /** Lowest and highest aggregate id. */
  readonly firstId: number;
  readonly lastId: number;
  /** By tier, in the order of the bounds; undefined where the tier did not trade. */
  readonly tiers: readonly (DistilledSums | undefined)[];
}

/** Minutes and totals of the rows whose time lies in one hour. */
export interface DistilledHour {
  /** In time order; minutes without a valid trade are left out. */
  readonly minutes: readonly DistilledMinute[];
  /** Invalid ones included. */
  readonly rows: number;
  readonly invalidRows: number;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

/** Raised when a release distils otherwise. */
export const DISTILLED_LAYOUT = 1;

/** Heap bytes, measured: a minute without tiers, and each tier that traded in it. */
const MINUTE_BYTES = 800;
const TIER_BYTES = 300;

/** About how much memory an hour takes. */
export function distilledBytes({ minutes }: DistilledHour): number {
  let bytes = MINUTE_BYTES;
  for (const { tiers } of minutes)
    bytes += MINUTE_BYTES + TIER_BYTES * tiers.filter((tier) => tier !== undefined).length;
  return bytes;
}
