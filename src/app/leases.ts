import { type Series, seriesKey, type Slice } from '../domain/market.ts';
import { compactHour, isoDay } from '../domain/time/hour.ts';
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

/** The lease that a worker must hold to write the bars of a day. */
export function barsLease(series: Series, dayMs: number): string {
  return `bars-${seriesKey(series)}-${isoDay(dayMs)}`;
}

/** The lease that a worker must hold to write the midnight bases of a series. */
export function chainLease(series: Series): string {
  return `chain-${seriesKey(series)}`;
}

interface LeaseDeps {
  readonly leases: Leases;
  readonly clock: Clock;
  /** Called once when somebody else holds the lease. */
  readonly onWait?: () => void;
}

/** Waits for a lease, and runs `work` while it is held. */
export async function whileHolding<T>(
  { leases, clock, onWait }: LeaseDeps,
  name: string,
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    const lease = await leases.tryAcquire(name, signal);
    if (lease === undefined) {
      if (attempt === 0) onWait?.();
      await clock.sleep(LEASE_POLL_MS, signal);
      continue;
    }
    try {
      return await work();
    } finally {
      await lease.release();
    }
  }
}

/** Runs a read-modify-write of a series' row under the lease of the series. */
export async function changeSeries(
  deps: LeaseDeps,
  series: Series,
  change: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  await whileHolding(deps, `series-${seriesKey(series)}`, change, signal);
}
