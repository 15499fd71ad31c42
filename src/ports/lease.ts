/**
 * The right to work on a name for a while, exclusive among all workers and hosts. It is kept alive
 * by itself until it is released or lost.
 */
export interface Lease {
  /** Aborted with a CdvaultError LEASE_LOST as soon as the lease is known, or must be feared, to be lost. */
  readonly signal: AbortSignal;
  /**
   * Extends the lease now and returns only when it is ours for at least that long: to be called
   * right before what only the owner may do.
   * @param minimumRemainingMs at most the lease's whole time
   * @throws CdvaultError LEASE_LOST when it ran out or went to another; REDIS_UNREACHABLE when that can't be known
   */
  assertHeld(minimumRemainingMs: number): Promise<void>;
  /** Gives the name free. Never throws: what can't be released runs out by itself. */
  release(): Promise<void>;
}

export interface Leases {
  /**
   * One try, without waiting; undefined while another owns the name.
   * @param name e.g. `slice-spot-BTCUSDT-2024010110`
   * @throws CdvaultError REDIS_UNREACHABLE, or the signal's reason; what Redis gives after that goes back to it
   */
  tryAcquire(name: string, signal?: AbortSignal): Promise<Lease | undefined>;
}
