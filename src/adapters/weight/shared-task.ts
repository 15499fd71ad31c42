import { unlessAborted } from '../system/within.ts';

/**
 * Runs a task once for all callers that need its effect at the same time. The task runs with the signal of
 * the caller that started it; if that caller is aborted, the next one starts the task again.
 */
export class SharedTask<Key> {
  readonly #running = new Map<
    Key,
    { readonly signal: AbortSignal; readonly done: Promise<void> }
  >();

  /** Rejects with the task's error, or with the reason of the caller's own signal. */
  async run(key: Key, signal: AbortSignal, task: () => Promise<void>): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const running = this.#running.get(key) ?? this.#start(key, signal, task);
      try {
        return await unlessAborted(running.done, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!running.signal.aborted) throw error;
      }
    }
  }

  #start(
    key: Key,
    signal: AbortSignal,
    task: () => Promise<void>,
  ): { signal: AbortSignal; done: Promise<void> } {
    const done = task().finally(() => this.#running.delete(key));
    const running = { signal, done };
    this.#running.set(key, running);
    return running;
  }
}
