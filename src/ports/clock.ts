/** Time and waiting, so that tests can control both. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted, leaving no timer. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
