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
  /** Half of the round trip: the greatest error of the offset. */
  readonly uncertaintyMs: number;
}

/** The exchange announces changes of its limits weeks ahead; one check a day is enough. */
export const LIMITS_VALID_MS = 86_400_000;

/** A computer's clock drifts about 50 ppm: 30 ms in ten minutes, well within the guards. */
export const CLOCK_VALID_MS = 600_000;

/**
 * Time from the grant until the exchange counts the request, with a new TLS connection over a long
 * distance.
 */
const TRAVEL_MS = 500;

/**
 * The greatest part of a window that one guard may take; only short windows (1 s, in tests) come near it.
 */
const GUARD_SHARE = 0.05;

/** What must be known before a request of a market can be granted. */
export interface MarketLimits {
  readonly limits: ExchangeLimits;
  readonly limitsAtMs: number;
  readonly clock: ClockReading | undefined;
  readonly clockAtMs: number;
}

/** undefined when the stored state has no limits (it may still have a ban). */
export function factsOf(state: ExchangeState | undefined): MarketLimits | undefined {
  if (state === undefined || state.windowMs <= 0) return undefined;
  const { weightLimit, windowMs, limitsAtMs } = state;
  const limits = { weightLimit, windowMs };
  return { limits, limitsAtMs, clock: undefined, clockAtMs: -Infinity };
}

/** Number of the exchange's window at a local time. */
export function windowAt({ limits, clock }: MarketLimits, localMs: number): number {
  return Math.floor((localMs + (clock?.offsetMs ?? 0)) / limits.windowMs);
}

/**
 * The parts of a window in which nothing is sent: at the end for the travel time and the clock's uncertainty,
 * at the start for the clock's uncertainty. At full speed the budget is used up before the end of the window,
 * so that the guards cost no throughput.
 */
export function guardOf({ limits, clock }: MarketLimits): WindowGuard {
  const mostMs = limits.windowMs * GUARD_SHARE;
  const uncertaintyMs = clock?.uncertaintyMs ?? 0;
  return {
    startMs: Math.min(uncertaintyMs, mostMs),
    endMs: Math.min(TRAVEL_MS + uncertaintyMs, mostMs),
  };
}

/** @throws CdvaultError USAGE when the request's weight is greater than the share of a whole window */
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
    `a request of weight ${weight} exceeds the share ${share} of the limit ${limits.weightLimit} (${market})`,
    { advice: 'Raise --weight-share.' },
  );
}
