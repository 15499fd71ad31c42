import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, silentBar } from '../../src/domain/bars/bar.ts';
import { BarPass } from './reference-bars.ts';
import type { Contract } from '../../src/domain/bars/contract.ts';
import { parseDecimal, PRICE_SCALE, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { MINUTE_MS } from '../../src/domain/time/hour.ts';
import type { TierBounds } from '../../src/domain/bars/tier.ts';

/** 1 unit of quote currency in units of 1e-16, the scale of price × quantity. */
const QUOTE_UNIT = 10n ** BigInt(PRICE_SCALE + QTY_SCALE);

/** @returns the index of the trade's bound; undefined when the contract size is unknown */
export function tierOf(
  { price, qty }: AggTrade,
  bounds: TierBounds,
  contract: Contract | undefined,
): number | undefined {
  if (contract !== undefined && contract.size === undefined) return undefined;
  const unitE8 = parseDecimal(contract?.size ?? price, PRICE_SCALE);
  const valueE16 = unitE8 * parseDecimal(qty, QTY_SCALE);
  return bounds.findLastIndex((bound) => valueE16 >= BigInt(bound) * QUOTE_UNIT);
}

/** Minute bars for each tier: the reference that the stored ones are compared with. */
export class TierPass {
  readonly #bounds: TierBounds;
  readonly #contract: Contract | undefined;
  readonly #tiers: readonly { readonly pass: BarPass; readonly bars: Bar[] }[];

  constructor(bounds: TierBounds, contract: Contract | undefined) {
    this.#bounds = bounds;
    this.#contract = contract;
    this.#tiers = bounds.map(() => ({
      pass: new BarPass({ intervalMs: MINUTE_MS, denseHours: [] }),
      bars: [],
    }));
  }

  /** @param trade in the order of cdvBars */
  accept(trade: AggTrade): void {
    const tier = this.#tiers[tierOf(trade, this.#bounds, this.#contract) ?? -1];
    tier?.bars.push(...tier.pass.accept(trade));
  }

  /**
   * Bars by tier, in the order of the bounds. Every minute that has a bar has one in each tier, silent
   * where the tier did not trade. No bars when the contract size is unknown.
   * @param minutes the minute bars of all trades
   */
  finish(minutes: readonly Bar[]): readonly (readonly Bar[])[] {
    if (this.#contract !== undefined && this.#contract.size === undefined)
      return this.#bounds.map(() => []);
    return this.#tiers.map(({ pass, bars }) => dense([...bars, ...pass.finish()], minutes));
  }
}

function dense(bars: readonly Bar[], minutes: readonly Bar[]): Bar[] {
  const byOpen = new Map(bars.map((bar) => [bar.openMs, bar]));
  let level = 0n;
  return minutes.map(({ openMs }) => {
    const bar = byOpen.get(openMs) ?? silentBar(openMs, level);
    level = bar.close;
    return bar;
  });
}
