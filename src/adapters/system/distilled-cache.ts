import { LRUCache } from 'lru-cache';
import {
  DISTILLED_LAYOUT,
  type DistilledHour,
  distilledBytes,
} from '../../domain/bars/distilled.ts';
import type { DistilledHours, DistilledKey } from '../../ports/distilled-hours.ts';

/**
 * A day of the busiest symbol takes 2 MB, and its bars are built soon after it is fetched: this is room for
 * a month of it.
 */
const MOST_BYTES = 64 * 2 ** 20;

/** Keeps the hours that were used last in the memory of this process. */
export function createDistilledCache(mostBytes = MOST_BYTES): DistilledHours {
  const hours = new LRUCache<string, DistilledHour>({
    maxSize: mostBytes,
    sizeCalculation: (hour, key) => distilledBytes(hour) + 2 * key.length,
  });
  return {
    keep: (key, hour) => void hours.set(textOf(key), hour),
    find: (key) => hours.get(textOf(key)),
  };
}

function textOf({ market, symbol, hourMs, contentHash, tiers, contract }: DistilledKey): string {
  const size = contract === undefined ? null : (contract.size ?? 'unknown');
  return JSON.stringify([DISTILLED_LAYOUT, market, symbol, hourMs, contentHash, tiers, size]);
}
