import type { AggTrade } from '../trade/agg-trade.ts';
import { type Bar, barText, type BarText } from './bar.ts';
import {
  formatDecimal,
  parseDecimal,
  PRICE_SCALE,
  QTY_SCALE,
  QUOTE_SCALE,
} from '../trade/decimal.ts';

/** Set for a series whose quantities are contracts. */
export interface Contract {
  /**
   * Value of one contract in quote currency, decimal text; undefined when unknown, because the exchange
   * had delisted the symbol before cdvault first asked for it.
   */
  readonly size: string | undefined;
}

/** Base volumes are quotients, rounded to this many decimal places, as the store rounds its own. */
export const BASE_SCALE = 24;

/** Σ contracts × size ÷ price by taker side, units of 1e-24. */
export interface BaseVolume {
  readonly buyE24: bigint;
  readonly sellE24: bigint;
}

/** @param size of one contract, decimal text */
export function plusBase(
  { buyE24, sellE24 }: BaseVolume,
  { qty, price, isBuyerMaker }: AggTrade,
  size: string,
): BaseVolume {
  const worthE16 = parseDecimal(qty, QTY_SCALE) * parseDecimal(size, QTY_SCALE);
  const priceE8 = parseDecimal(price, PRICE_SCALE);
  // Adding half a unit before the division rounds to the nearest.
  const baseE24 = (2n * worthE16 * 10n ** 16n + priceE8) / (2n * priceE8);
  return isBuyerMaker
    ? { buyE24, sellE24: sellE24 + baseE24 }
    : { buyE24: buyE24 + baseE24, sellE24 };
}

/** A bar whose value in quote currency may be unknown. */
export type WorthText = Omit<BarText, 'quoteDelta' | 'quoteVolume'> & {
  readonly quoteDelta: string | undefined;
  readonly quoteVolume: string | undefined;
};

/**
 * A bar as in the exact tables. A contract has a fixed value in quote currency at any price, so the
 * quote amounts are exact; without the size they are unknown and never estimated.
 */
export function worthText(bar: Bar, contract: Contract | undefined): WorthText {
  const text = barText(bar);
  if (contract === undefined) return text;
  if (contract.size === undefined)
    return { ...text, quoteDelta: undefined, quoteVolume: undefined };
  const sizeE8 = parseDecimal(contract.size, QTY_SCALE);
  const worth = (qtyE8: bigint) => formatDecimal(qtyE8 * sizeE8, QUOTE_SCALE);
  return {
    ...text,
    quoteDelta: worth(bar.delta),
    quoteVolume: worth(bar.buyVolume + bar.sellVolume),
  };
}
