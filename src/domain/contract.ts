import { type Bar, barText, type BarText } from './bar.ts';
import { formatDecimal, parseDecimal, QTY_SCALE, QUOTE_SCALE } from './decimal.ts';

/** Set for a series whose quantities are contracts. */
export interface Contract {
  /**
   * Worth of one contract in quote currency, decimal text; undefined where nobody knows it, because the
   * exchange had delisted the symbol before it was first asked about.
   */
  readonly size: string | undefined;
}

/** A bar whose worth in quote currency may be unknown. */
export type WorthText = Omit<BarText, 'quoteDelta' | 'quoteVolume'> & {
  readonly quoteDelta: string | undefined;
  readonly quoteVolume: string | undefined;
};

/**
 * A bar as the exact tables give it. Contracts are worth a fixed sum each, whatever the price, so that
 * their worth is exact; without the size it is unknown, never guessed.
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
