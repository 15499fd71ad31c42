import { UnrecoverableError } from 'bullmq';
import { backoffMs, type BackoffPolicy } from '../../domain/plan/backoff.ts';
import { type CdvaultError, classify } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';

/** Codes with the fatal exit code that concern one job only: a single bad job must not stop the others. */
const OWN_FAULT: ReadonlySet<string> = new Set(['JOB_INVALID', 'INTERNAL']);

/**
 * The error that BullMQ gets for a retry. BullMQ stores its message, which begins with our code, as the
 * failed reason.
 */
class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly failure: CdvaultError;

  constructor(failure: CdvaultError) {
    super(codedMessage(failure), { cause: failure });
    this.failure = failure;
  }
}

class NeverAgain extends UnrecoverableError {
  readonly failure: CdvaultError;

  constructor(failure: CdvaultError) {
    super(codedMessage(failure));
    this.failure = failure;
  }
}

/**
 * The error that a processor must throw, so that BullMQ retries the job or not, as the failure is
 * classified.
 */
export function toQueueError(failure: CdvaultError): Error {
  const error = failure.retryable ? new RetryLater(failure) : new NeverAgain(failure);
  error.stack = storedStack(failure);
  return error;
}

/**
 * The stack that is stored with the job. The board shows it instead of the reason, so it has the advice above
 * the place that failed.
 */
function storedStack(failure: CdvaultError): string {
  const places = (failure.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [codedMessage(failure), failure.advice, ...places].join('\n');
}

/**
 * The failure that caused an error which BullMQ reports; BullMQ's own errors (stalled too often) are
 * INTERNAL.
 */
export function fromQueueError(error: unknown): CdvaultError {
  return error instanceof RetryLater || error instanceof NeverAgain
    ? error.failure
    : classify(error);
}

/** Whether the failure would stop every other job as well: a ban, a suspended table, a full disk. */
export function isFatal(failure: CdvaultError): boolean {
  return failure.exitCode === EXIT.fatal && !OWN_FAULT.has(failure.code);
}

/** @param attemptsMade 1 before the first retry, as BullMQ counts */
export function retryDelayMs(policy: BackoffPolicy, attemptsMade: number, error: unknown): number {
  const { untilMs } = fromQueueError(error);
  const serverMinimumMs = untilMs === undefined ? 0 : Math.max(0, untilMs - Date.now());
  return backoffMs(policy, attemptsMade - 1, Math.random(), serverMinimumMs);
}

function codedMessage({ code, message }: CdvaultError): string {
  return `${code}: ${message}`;
}
