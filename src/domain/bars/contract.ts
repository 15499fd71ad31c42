import { type Bar, barText, type BarText } from './bar.ts';
import { formatDecimal, parseDecimal, QTY_SCALE, QUOTE_SCALE } from '../trade/decimal.ts';

/** Set for a series whose quantities are contracts. */
export interface Contract {
  /**
   * Value of one contract in quote currency, decimal text; undefined when unknown, because the exchange
   * had delisted the symbol before cdvault first asked for it.
   */
  readonly size: string | undefined;
}

/** Base volumes are quotients, rounded to this many decimal places. */
export const BASE_SCALE = 24;

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
