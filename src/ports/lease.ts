/**
 * The exclusive right, among all workers and hosts, to work on one or several names for a limited time. It
 * refreshes itself until it is released or lost. It is held or lost as a whole: with one name, all are lost.
 *
 * States of a lease, and what may follow:
 *   held       → held (refreshed by itself or by assertHeld()), released, lost
 *   lost       a name expired or has another owner, or it was not confirmed in time; `signal` is aborted.
 *              → nothing; release() then only cleans up
 *   released   → nothing: assertHeld() throws LEASE_LOST, `signal` is not aborted
 */
export interface Lease {
  /** Aborted with a CdvaultError LEASE_LOST as soon as the lease is lost, or may be lost. */
  readonly signal: AbortSignal;
  /**
   * Extends the lease now, and resolves only when it is held for at least `minimumRemainingMs` more.
   * Call it right before an action that only the owner may take.
   * @param minimumRemainingMs at most the whole duration of the lease
   * @throws CdvaultError LEASE_LOST when it expired or has another owner; REDIS_UNREACHABLE when that is unknown
   */
  assertHeld(minimumRemainingMs: number): Promise<void>;
  /** Releases the names that are still ours. Never throws: a lease that can't be released expires by itself. */
  release(): Promise<void>;
}

export interface Leases {
  /**
   * Tries once, without waiting, and takes all names or none. The number of names does not change the number
   * of round trips, here or in the lease.
   * @param names e.g. `slice-spot-BTCUSDT-2024010110`; at least one
   * @returns undefined while another owner has one of the names
   * @throws CdvaultError REDIS_UNREACHABLE, or the signal's reason; a lease that Redis grants after that
   *   is released
   */
  tryAcquire(names: string | readonly string[], signal?: AbortSignal): Promise<Lease | undefined>;
}
