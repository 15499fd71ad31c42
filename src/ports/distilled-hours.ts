import type { Contract } from '../domain/bars/contract.ts';
import type { DistilledHour } from '../domain/bars/distilled.ts';
import type { TierBounds } from '../domain/bars/tier.ts';
import type { Slice } from '../domain/market.ts';

/** All that a distilled hour depends on. */
export interface DistilledKey extends Slice {
  /** Of the hour's run of ids, in full. */
  readonly contentHash: string;
  readonly tiers: TierBounds;
  /** For a series that trades contracts. */
  readonly contract: Contract | undefined;
}

/**
 * Hours that were distilled while they were fetched, for the follow-up job. It may forget any of them at
 * any time: they are then distilled again from the stored rows.
 */
export interface DistilledHours {
  keep(key: DistilledKey, hour: DistilledHour): void;
  find(key: DistilledKey): DistilledHour | undefined;
}
