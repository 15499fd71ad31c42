import type { Market } from '../../domain/market.ts';
import { windowBudget } from '../../domain/plan/weight.ts';
import type { WindowGuard } from '../../domain/plan/weight.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { ExchangeState } from '../../ports/weight-governor.ts';

export interface ExchangeLimits {
  readonly weightLimit: number;
  readonly windowMs: number;
}

export interface ClockReading {
  /** The exchange's clock minus ours. */
  readonly offsetMs: number;
  /** Half of the round trip: how wrong the offset may be. */
  readonly uncertaintyMs: number;
}

/** The exchange announces changes of its limits weeks ahead; a day is soon enough to notice. */
export const LIMITS_VALID_MS = 86_400_000;

/** A crystal drifts some 50 ppm: 30 ms in ten minutes, well inside the guards. */
export const CLOCK_VALID_MS = 600_000;

/** Time from the grant until the request reaches the exchange's counter: a new TLS connection from afar. */
const TRAVEL_MS = 500;

/** No window may lose more than this part to a guard; only short windows (1 s, in tests) come near it. */
const GUARD_SHARE = 0.05;

/** What must be known before a request of a market can be granted. */
export interface MarketLimits {
  readonly limits: ExchangeLimits;
  readonly limitsAtMs: number;
  readonly clock: ClockReading | undefined;
  readonly clockAtMs: number;
}

/** undefined when the store knows no limits (of a ban it may know all the same). */
export function factsOf(state: ExchangeState | undefined): MarketLimits | undefined {
  if (state === undefined || state.windowMs <= 0) return undefined;
  const { weightLimit, windowMs, limitsAtMs } = state;
  const limits = { weightLimit, windowMs };
  return { limits, limitsAtMs, clock: undefined, clockAtMs: -Infinity };
}

/** Number of the exchange's window at a time of ours. */
export function windowAt({ limits, clock }: MarketLimits, localMs: number): number {
  return Math.floor((localMs + (clock?.offsetMs ?? 0)) / limits.windowMs);
}

/**
 * The strips kept free: at the end for the way to the exchange and an uncertain clock, at the start
 * for an uncertain clock alone. At full speed the budget is spent before the end, so that they cost nothing.
 */
export function guardOf({ limits, clock }: MarketLimits): WindowGuard {
  const mostMs = limits.windowMs * GUARD_SHARE;
  const uncertaintyMs = clock?.uncertaintyMs ?? 0;
  return {
    startMs: Math.min(uncertaintyMs, mostMs),
    endMs: Math.min(TRAVEL_MS + uncertaintyMs, mostMs),
  };
}

/** @throws CdvaultError USAGE when a window's share can never hold the request */
export function assertAffordable(
  weight: number,
  limits: ExchangeLimits,
  share: number,
  market: Market,
): void {
  const points = windowBudget(limits.weightLimit, share);
  if (weight <= points) return;
  throw new CdvaultError(
    'USAGE',
    `a request of weight ${weight} does not fit into a share of ${share} of the limit of ${limits.weightLimit} (${market})`,
    { advice: 'Raise --weight-share.' },
  );
}
