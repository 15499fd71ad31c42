import { type Series, seriesKey, type Slice } from '../domain/market.ts';
import { compactHour } from '../domain/time/hour.ts';
import type { Clock } from '../ports/clock.ts';
import type { Leases } from '../ports/lease.ts';

const LEASE_POLL_MS = 200;

/**
 * A write that only the owner of a lease may make must be acknowledged within this time: a flush takes
 * well under a second, and half of the lease's time is left for a slow store (ADR 7).
 */
export const OWNED_WRITE_MS = 10_000;

/** A worker that writes rows of an hour, from any source, holds this lease. */
export function hourLease(slice: Slice): string {
  return `slice-${seriesKey(slice)}-${compactHour(slice.hourMs)}`;
}

/** Runs a change of a series' row, which is read and then written, under the lease of the series. */
export async function changeSeries(
  { leases, clock }: { readonly leases: Leases; readonly clock: Clock },
  series: Series,
  change: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const lease = await leases.tryAcquire(`series-${seriesKey(series)}`);
    if (lease === undefined) {
      await clock.sleep(LEASE_POLL_MS, signal);
      continue;
    }
    try {
      await change();
      return;
    } finally {
      await lease.release();
    }
  }
}
