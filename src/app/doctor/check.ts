import { type ErrorCode, ERRORS } from '../../domain/error-catalogue.ts';
import { classify } from '../../domain/errors.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';

export type CheckState = 'ok' | 'warn' | 'fail' | 'skipped';

export type Figures = Readonly<Record<string, number | string | boolean>>;

/** The result of a check, without its name. */
export interface Verdict {
  readonly state: CheckState;
  readonly fact: string;
  /** What to type, or to do; for WARN and FAIL. */
  readonly cure?: string;
  readonly code?: ErrorCode;
  readonly figures: Figures;
}

export const GROUPS = [
  'Node',
  'Redis',
  'QuestDB',
  'store',
  'queue',
  'exchange',
  'Grafana',
] as const;
export type CheckGroup = (typeof GROUPS)[number];

export interface Check extends Verdict {
  readonly group: CheckGroup;
  readonly name: string;
}

export function ok(fact: string, figures: Figures = {}): Verdict {
  return { state: 'ok', fact, figures };
}

export function warn(fact: string, cure: string, figures: Figures = {}): Verdict {
  return { state: 'warn', fact, cure, figures };
}

/** @param code the error that commands end with because of it, if there is one */
export function fail(fact: string, cure: string, figures: Figures = {}, code?: ErrorCode): Verdict {
  return { state: 'fail', fact, cure, figures, ...(code !== undefined && { code }) };
}

export function skipped(fact: string, figures: Figures = {}): Verdict {
  return { state: 'skipped', fact, figures };
}

/** A question that could not be answered is a failure with the error's own advice. */
export function failure(thrown: unknown): Verdict {
  const { message, advice, code } = classify(thrown);
  return fail(message, advice, {}, code);
}

/** 5 when a service does not answer, 7 for every other failure; warnings do not count. */
export function exitCodeOf(checks: readonly Check[]): ExitCode {
  const failures = checks.filter(({ state }) => state === 'fail');
  if (failures.length === 0) return EXIT.ok;
  const isOutage = ({ code }: Check) => code !== undefined && ERRORS[code].exitCode === EXIT.outage;
  return failures.some(isOutage) ? EXIT.outage : EXIT.fatal;
}
