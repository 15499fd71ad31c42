/** Exit codes of the command line. Documented in docs/operations.md and SPEC; never renumbered. */
export const EXIT = {
  ok: 0,
  usage: 2,
  gaps: 3,
  slicesFailed: 4,
  outage: 5,
  fatal: 7,
  mismatch: 11,
  interrupted: 130,
  /** 128 + SIGPIPE, as shells report it. */
  outputClosed: 141,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
