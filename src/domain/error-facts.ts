import type { ExitCode } from './exit-codes.ts';

export interface ErrorFacts {
  /** True when the same call may succeed later although nothing was changed. */
  readonly retryable: boolean;
  readonly exitCode: ExitCode;
  /** When the failure occurs: full sentences. */
  readonly when: string;
  /** What the operator can do next: full sentences. */
  readonly advice: string;
}
