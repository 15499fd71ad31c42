import type { ErrorCode } from '../../../domain/error-catalogue.ts';
import { type CdvaultError, classify } from '../../../domain/errors.ts';

type Status = 400 | 404 | 410 | 500 | 503 | 504;

/** Codes that are not a failure of ours. */
const STATUS: Readonly<Partial<Record<ErrorCode, Status>>> = {
  USAGE: 400,
  BAD_TIME: 400,
  BAD_RANGE: 400,
  UNKNOWN_SYMBOL: 404,
  TRADES_PRUNED: 410,
  STORE_UNREACHABLE: 503,
  TABLE_SUSPENDED: 503,
  QUERY_BUSY: 503,
  QUERY_TIMEOUT: 504,
};

export interface Failure {
  readonly status: Status;
  readonly error: CdvaultError;
  readonly body: FailureBody;
}

export interface FailureBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly advice: string;
    readonly retryable: boolean;
  };
}

export function failureOf(thrown: unknown): Failure {
  const error = classify(thrown);
  return { status: STATUS[error.code] ?? 500, error, body: failureBody(error) };
}

export function failureBody({ code, message, advice, retryable }: CdvaultError): FailureBody {
  return { error: { code, message: named(message), advice: named(advice), retryable } };
}

/** The command line and the API name the same things; only there they begin with two dashes. */
function named(text: string): string {
  return text.replaceAll(/--(?=(?:from|to|anchor|interval|open|market)\b)/g, '');
}
