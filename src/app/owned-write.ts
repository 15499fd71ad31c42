/**
 * What only the owner of a lease may write must be acknowledged well within what is left of it: a flush
 * takes well under a second, and half of the lease's time is for a slow store (ADR 7).
 */
export const OWNED_WRITE_MS = 10_000;
