/** The arithmetic of request weight: aligned windows and what of them may be used. */

/** Strips of a window in which nothing is sent, so that no request is counted in another window than ours. */
export interface WindowGuard {
  /** After the window's start: our idea of the exchange's clock may run ahead of it. */
  readonly startMs: number;
  /** Before the window's end: what is sent now may arrive in the next window and use that one's weight. */
  readonly endMs: number;
}

export interface SendSlot {
  /** Number of the window since the epoch, which weight sent now counts in. */
  readonly window: number;
  /** 0 when something may be sent right now. */
  readonly waitMs: number;
}

/**
 * Where a request that wants to be sent at `nowMs` (the exchange's clock) belongs. The exchange's
 * windows are aligned: minute windows start at the full minute.
 */
export function sendSlot(nowMs: number, windowMs: number, guard: WindowGuard): SendSlot {
  const current = Math.floor(nowMs / windowMs);
  const window = nowMs >= (current + 1) * windowMs - guard.endMs ? current + 1 : current;
  return { window, waitMs: Math.max(0, window * windowMs + guard.startMs - nowMs) };
}

/** Milliseconds from `nowMs` until the window after `window` takes requests. */
export function nextWindowInMs(
  nowMs: number,
  window: number,
  windowMs: number,
  guard: WindowGuard,
): number {
  return Math.max(0, (window + 1) * windowMs + guard.startMs - nowMs);
}

/** The weight of a window that we may use; never rounded up, since the exchange counts exactly. */
export function windowBudget(weightLimit: number, share: number): number {
  return Math.floor(weightLimit * share);
}
