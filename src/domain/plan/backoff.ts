export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Full jitter: a uniform draw from [0, min(max, first × 2^attempt)), never below `serverMinimumMs`.
 * @param attempt 0 for the first retry
 * @param random in [0, 1)
 */
export function backoffMs(
  policy: BackoffPolicy,
  attempt: number,
  random: number,
  serverMinimumMs = 0,
): number {
  const ceilingMs = Math.min(policy.maxMs, policy.firstMs * 2 ** attempt);
  return Math.max(serverMinimumMs, Math.floor(ceilingMs * random));
}
