import pTimeout from 'p-timeout';

interface Limits {
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
  /** The error to throw when the time is over. */
  readonly late: () => Error;
}

/** A timer that fires this late was stopped with its process, or starved by other work. */
const STOOD_STILL_MS = 500;

/**
 * Timers fire before sockets are read: an answer that has arrived by then is read in far less than this.
 */
const LOOK_AGAIN_MS = 100;

/**
 * Waits at most a given time for work that takes no signal. When the wait ends early, the work goes on and
 * its outcome is lost: a caller that must undo it has to keep the promise.
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
  // A process that was stopped could not receive the answer: its time starts again now.
  const stoodStill = performance.now() - startMs > ms + STOOD_STILL_MS;
  const afterAll = await wait(stoodStill ? ms : LOOK_AGAIN_MS);
  if (afterAll !== undefined) return afterAll.value;
  throw late();
}

/**
 * Waits for work that takes no signal, until the signal is aborted. The work then goes on.
 * @throws the work's error, or the signal's reason
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return pTimeout(work, { milliseconds: Infinity, signal });
}
