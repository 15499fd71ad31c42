import type { Contract } from '../../../src/domain/bars/contract.ts';
import { DELTA } from './traded-minutes.ts';

/** SQL for the value of a minute's trades: over the rows of one minute, and for the minute bars. */
interface WorthSql {
  /** Columns of a minute with trades. */
  readonly minute: string;
  /**
   * Quote value of a silent minute. NULL if the value is unknown, so that a longer bar does not add up a
   * part.
   */
  readonly silent: string;
  /** The last columns of a bar. */
  readonly baseVolumes: string;
}

const BASE_UNKNOWN = 'null::double base_buy_volume, null::double base_sell_volume';

/**
 * The quantity is in the base asset: its value is price times quantity, and the bars' volumes are base
 * volumes.
 */
const BY_PRICE: WorthSql = {
  minute: `sum(price * ${DELTA}) quote_delta, sum(price * qty) quote_volume`,
  silent: '0m',
  baseVolumes: BASE_UNKNOWN,
};

const UNKNOWN: WorthSql = {
  minute: 'null::decimal(38,16) quote_delta, null::decimal(38,16) quote_volume',
  silent: 'null::decimal(38,16)',
  baseVolumes: BASE_UNKNOWN,
};

export function worthOf(contract: Contract | undefined): WorthSql {
  if (contract === undefined) return BY_PRICE;
  return contract.size === undefined ? UNKNOWN : byContract(contract.size);
}

/** Base volumes of a longer bar, summed over its minutes. */
export const SUMMED_BASE_VOLUMES = ['base_buy_volume', 'base_sell_volume']
  .map((name) => `sum(${name}::decimal(60,20))::double ${name}`)
  .join(', ');

/**
 * Quotients are rounded, here at the 24th place, but added up as decimals: a sum of DOUBLEs would depend on
 * the order of its terms, and computing the same bars again must give the same result.
 */
function byContract(size: string): WorthSql {
  const base = (side: string) =>
    `sum((CASE WHEN ${side} THEN qty ELSE 0m END * ${size}m)::decimal(38,16) / price)::double`;
  return {
    minute:
      `sum(${DELTA}) * ${size}m quote_delta, sum(qty) * ${size}m quote_volume, ` +
      `${base('NOT is_buyer_maker')} base_buy_volume, ${base('is_buyer_maker')} base_sell_volume`,
    silent: '0m',
    baseVolumes: ['base_buy_volume', 'base_sell_volume']
      .map((name) => `CASE WHEN m.ts = s.ts THEN v.${name} ELSE 0.0 END ${name}`)
      .join(', '),
  };
}
