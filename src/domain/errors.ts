import { type ErrorCode, ERRORS } from './error-catalogue.ts';
import type { ExitCode } from './exit-codes.ts';

interface ErrorDetails {
  readonly advice?: string;
  readonly cause?: unknown;
  /** For a rate limit or a ban: when requests may be sent again, epoch ms. */
  readonly untilMs?: number;
}

/**
 * A failure with a stable code. The message says what failed on what; `advice` says what to do next.
 */
export class CdvaultError extends Error {
  override readonly name = 'CdvaultError';
  readonly code: ErrorCode;
  readonly advice: string;
  readonly untilMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.advice = details.advice ?? ERRORS[code].advice;
    this.untilMs = details.untilMs;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get exitCode(): ExitCode {
    return ERRORS[this.code].exitCode;
  }
}

/** Converts anything thrown into a CdvaultError; an unknown error becomes INTERNAL and keeps its cause. */
export function classify(error: unknown): CdvaultError {
  if (error instanceof CdvaultError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CdvaultError('INTERNAL', message, { cause: error });
}

/** Whether the content of an archive file is at fault, not its download. */
export function isArchiveFault(error: unknown): error is CdvaultError {
  return (
    error instanceof CdvaultError &&
    (error.code === 'ARCHIVE_BAD_FILE' || error.code === 'ARCHIVE_BAD_ROW')
  );
}
