import pTimeout from 'p-timeout';

interface Limits {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** What to fail with when the time is over. */
  readonly late: () => Error;
}

/** A timer that fires this much behind its time was stopped with its process, or starved by its neighbours. */
const STOOD_STILL_MS = 500;

/** Timers fire before sockets are read: what has arrived meanwhile is read in far less than this. */
const LOOK_AGAIN_MS = 100;

/**
 * Waits for work that takes no signal itself, for a time at most. The work goes on behind an end of the
 * wait, and its outcome is then lost: whoever must undo it keeps the promise.
 * @throws the work's error, the signal's reason, or `late()`
 */
export async function within<T>(work: Promise<T>, { ms, signal, late }: Limits): Promise<T> {
  const startMs = performance.now();
  const ended = work.then((value) => ({ value }));
  const wait = async (milliseconds: number) =>
    pTimeout(ended, {
      milliseconds,
      fallback: () => undefined,
      ...(signal === undefined ? {} : { signal }),
    });
  const inTime = await wait(ms);
  if (inTime !== undefined) return inTime.value;
  // A process that was stopped had no chance to hear the answer: its time counts from now on.
  const stoodStill = performance.now() - startMs > ms + STOOD_STILL_MS;
  const afterAll = await wait(stoodStill ? ms : LOOK_AGAIN_MS);
  if (afterAll !== undefined) return afterAll.value;
  throw late();
}

/**
 * Waits for work that takes no signal itself, until the signal is aborted. The work goes on.
 * @throws the work's error, or the signal's reason
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return pTimeout(work, { milliseconds: Infinity, signal });
}
