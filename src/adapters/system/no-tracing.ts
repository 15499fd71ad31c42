import type { Tracing } from '../../ports/tracing.ts';

/** Nobody collects spans. */
export const NO_TRACING: Tracing = {
  run: (_, work) => work(),
  job: (_, work) => work(),
  annotate: () => undefined,
  part: () => undefined,
};
