import type { Log } from '../../ports/log.ts';

/**
 * While Redis is unreachable, every worker warns at every attempt: one line a minute for each message is
 * enough.
 */
const EVERY_MS = 60_000;
const MAX_MESSAGES = 100;

export class ThrottledWarning {
  readonly #log: Log;
  readonly #loggedAtMs = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  warn(message: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const key = `${message} ${text}`;
    const nowMs = performance.now();
    if (nowMs - (this.#loggedAtMs.get(key) ?? -Infinity) < EVERY_MS) return;
    // Messages with ids are all different: this keeps the map small.
    if (this.#loggedAtMs.size >= MAX_MESSAGES) this.#loggedAtMs.clear();
    this.#loggedAtMs.set(key, nowMs);
    this.#log.warn({ error: text }, message);
  }
}
