/** The arithmetic of request weight: aligned windows, and the share of a window that may be used. */

/** Margins of a window in which nothing is sent, so that the exchange counts a request in the window we do. */
export interface WindowGuard {
  /** After the window's start: our estimate of the exchange's clock may run ahead of it. */
  readonly startMs: number;
  /** Before the window's end: a request sent now may arrive in the next window and count there. */
  readonly endMs: number;
}

export interface SendSlot {
  /** Number, since the epoch, of the window in which the request counts. */
  readonly window: number;
  /** 0 when the request may be sent now. */
  readonly waitMs: number;
}

/**
 * The window of a request that is to be sent at `nowMs` (the exchange's clock), and how long to wait.
 * The exchange's windows are aligned: minute windows start at the full minute.
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
