import type { ErrorCode } from '../domain/error-catalogue.ts';
import { CdvaultError } from '../domain/errors.ts';
import { MINUTE_MS } from '../domain/time/hour.ts';
import type { Clock } from '../ports/clock.ts';

/** A source that did not answer was already retried; for this long the next days of a range skip it. */
const SILENT_MS = 10 * MINUTE_MS;

/** Failures of the exchange and its hosts, and of Redis, which is needed to ask them. Store failures are not included. */
const SILENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'EXCHANGE_UNREACHABLE',
  'EXCHANGE_UNAVAILABLE',
  'EXCHANGE_RATE_LIMITED',
  'EXCHANGE_BANNED',
  'EXCHANGE_BLOCKED',
  'EXCHANGE_RESTRICTED',
  'EXCHANGE_REFUSED',
  'EXCHANGE_BAD_BODY',
  'EXCHANGE_BAD_PAGE',
  'UNKNOWN_SYMBOL',
  'ARCHIVE_UNREACHABLE',
  'REDIS_UNREACHABLE',
]);

/** Whether an error is a failure of a source outside the store. */
export function isSilence(error: unknown): error is CdvaultError {
  return error instanceof CdvaultError && SILENT.has(error.code);
}

export function silenceText({ code, message }: CdvaultError): string {
  return `${code}: ${message}`;
}

/** A source outside the store. Its failure is reported as a reason, so that results of the store are kept. */
export class Witness {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #silence: { readonly reason: string; readonly untilMs: number } | undefined;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /**
   * @returns the answer, or the reason why there is none
   * @throws other failures, such as those of the store, and the signal's reason
   */
  async ask<T>(
    question: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ readonly answer: T } | { readonly reason: string }> {
    const silence = this.#silence;
    if (silence !== undefined && this.#clock.nowMs() < silence.untilMs) return silence;
    try {
      return { answer: await question() };
    } catch (error) {
      signal.throwIfAborted();
      if (!isSilence(error)) throw error;
      const reason = silenceText(error);
      const untilMs = error.untilMs ?? this.#clock.nowMs() + SILENT_MS;
      this.#silence = { reason, untilMs };
      return { reason };
    }
  }
}

/** Optional requests get this long, much less than requests for trades. */
const BRIEFLY_MS = 20_000;

/**
 * Runs an optional request with a short deadline.
 * @returns the answer, or the failure instead of throwing it
 * @throws the reason of `signal` when the caller was aborted
 */
export async function askBriefly<T>(
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | CdvaultError> {
  const briefly = AbortSignal.timeout(BRIEFLY_MS);
  try {
    return await ask(AbortSignal.any([signal, briefly]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CdvaultError) return error;
    if (!briefly.aborted) throw error;
    const message = `no answer within ${BRIEFLY_MS / 1000} s`;
    return new CdvaultError('EXCHANGE_UNREACHABLE', message, { cause: error });
  }
}
