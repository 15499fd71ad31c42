import type { ErrorCode } from '../domain/error-catalogue.ts';
import { CdvaultError } from '../domain/errors.ts';
import { MINUTE_MS } from '../domain/time/hour.ts';
import type { Clock } from '../ports/clock.ts';

/** Who did not answer has been asked patiently; each day of a long range is not made to wait so again. */
const SILENT_MS = 10 * MINUTE_MS;

/** Failures of others, and of Redis, without which the exchange may not be asked. The store's are none of these. */
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

/** Whether a failure is that of one who was asked outside the store. */
export function isSilence(error: unknown): error is CdvaultError {
  return error instanceof CdvaultError && SILENT.has(error.code);
}

export function silenceText({ code, message }: CdvaultError): string {
  return `${code}: ${message}`;
}

/** One who is asked outside the store: silence is told, and is no reason to lose what the store says. */
export class Witness {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #silence: { readonly reason: string; readonly untilMs: number } | undefined;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** @returns the answer, or why there is none */
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
