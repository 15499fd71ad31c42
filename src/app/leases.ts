import { type Series, seriesKey, type Slice } from '../domain/market.ts';
import { compactHour } from '../domain/time/hour.ts';
import type { Clock } from '../ports/clock.ts';
import type { Leases } from '../ports/lease.ts';

const LEASE_POLL_MS = 200;

/**
 * A write that requires a lease must be acknowledged within this time. A flush takes well under a second;
 * half of the lease's duration leaves room for a slow store (ADR 7).
 */
export const OWNED_WRITE_MS = 10_000;

/** The lease that a worker must hold to write rows of an hour, from any source. */
export function hourLease(slice: Slice): string {
  return `slice-${seriesKey(slice)}-${compactHour(slice.hourMs)}`;
}

/** Runs a read-modify-write of a series' row under the lease of the series. */
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
