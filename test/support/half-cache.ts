import { createDistilledCache } from '../../src/adapters/system/distilled-cache.ts';
import type { DistilledHours } from '../../src/ports/distilled-hours.ts';

/** A cache that has forgotten the hours of every other day, so that half of all builds distil stored rows again. */
export function halfCache(): DistilledHours {
  const kept = createDistilledCache();
  const forgotten = new Map<string, boolean>();
  return {
    keep: (key, hour) => kept.keep(key, hour),
    find(key) {
      const day = `${key.symbol} ${new Date(key.hourMs).toISOString().slice(0, 10)}`;
      const isForgotten = forgotten.get(day) ?? forgotten.size % 2 === 0;
      forgotten.set(day, isForgotten);
      return isForgotten ? undefined : kept.find(key);
    },
  };
}
