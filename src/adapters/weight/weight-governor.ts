import type { Redis } from 'ioredis';
import { CdvaultError } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import { nextWindowInMs, sendSlot, windowBudget } from '../../domain/plan/weight.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type {
  ExchangeStateStore,
  GovernorState,
  PauseReason,
  WeightGovernor,
} from '../../ports/weight-governor.ts';
import { MarketLimitsCache } from './market-limits-cache.ts';
import { assertAffordable, factsOf, guardOf, windowAt } from './market-limits.ts';
import type { ClockReading, ExchangeLimits, MarketLimits } from './market-limits.ts';
import { SharedPauses } from './shared-pauses.ts';
import type { Pause } from './shared-pauses.ts';
import { WindowBudget } from './window-budget.ts';

export type { ClockReading, ExchangeLimits } from './market-limits.ts';

export interface WeightGovernorDeps {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
  /** Names the address that requests leave from: programs with the same address share the budget. */
  readonly egress: string;
  /** Base URL of each market: a restriction by location applies to one host only. */
  readonly baseUrls: Partial<Record<Market, string>>;
  /** The part of the exchange's limit that we use, in (0, 1]. */
  readonly share: number;
  /** Requests the limits; called once a day, without a grant, since nothing can be granted before. */
  readonly limits: (
    market: Market,
    signal: AbortSignal,
  ) => Promise<ExchangeLimits & { readonly weight?: number }>;
  /**
   * Compares clocks with one request of weight 1, granted by the governor itself; called every ten
   * minutes.
   */
  readonly exchangeClock?: (market: Market, signal: AbortSignal) => Promise<ClockReading>;
  readonly states: ExchangeStateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random?: () => number;
}

/**
 * All waiting callers wake at a window's start; this spreads them, so that they don't all send in one
 * millisecond.
 */
const WAKE_JITTER_MS = 50;

/**
 * Long waits check again at this interval: a ban may have become longer, or the operator may have lifted
 * the pause.
 */
const LOOK_AGAIN_MS = 30_000;

/** One budget of request weight for each egress address and market, in Redis. */
export function createWeightGovernor(deps: WeightGovernorDeps): WeightGovernor {
  return new RedisWeightGovernor(deps);
}

class RedisWeightGovernor implements WeightGovernor {
  readonly #deps: WeightGovernorDeps;
  readonly #prefix: string;
  readonly #pauses: SharedPauses;
  readonly #limitsCache: MarketLimitsCache;
  readonly #budgets = new Map<Market, WindowBudget>();
  readonly #announced = new Map<Market, number>();

  constructor(deps: WeightGovernorDeps) {
    this.#deps = deps;
    this.#prefix = `${deps.keyPrefix}:${deps.egress}`;
    this.#pauses = new SharedPauses(deps.redis, this.#prefix, deps.baseUrls);
    this.#limitsCache = new MarketLimitsCache({
      ...deps,
      grant: (market, weight, signal) =>
        this.#acquireBy(() => this.#limitsCache.known(market), market, weight, signal),
      spend: (market, facts, weight, atMs) =>
        this.#budget(market, facts).spend(windowAt(facts, atMs), weight),
    });
  }

  async acquire(market: Market, weight: number, signal: AbortSignal): Promise<void> {
    await this.#acquireBy(() => this.#limitsCache.current(market, signal), market, weight, signal);
  }

  async observe(market: Market, usedWeight: number, atMs: number): Promise<void> {
    const { clock, exchangeClock } = this.#deps;
    const facts = this.#limitsCache.known(market);
    // Before clocks are compared, it is unknown which of the exchange's windows the number belongs to.
    if (facts === undefined || (exchangeClock !== undefined && facts.clock === undefined)) return;
    const window = windowAt(facts, atMs);
    // A request across the end of a window was counted in either of the two: its number is useless.
    if (window !== windowAt(facts, clock.nowMs())) return;
    await this.#budget(market, facts).raiseTo(window, usedWeight);
  }

  async pause(market: Market, reason: PauseReason, untilMs: number): Promise<void> {
    const { clock, log } = this.#deps;
    log.warn(
      { market, reason, until: new Date(untilMs).toISOString() },
      'Requests to the exchange are paused',
    );
    const noted = await Promise.allSettled([
      this.#pauses.set(market, { reason, untilMs }, clock.nowMs()),
      reason === 'banned' ? this.#rememberBan(market, untilMs) : undefined,
    ]);
    for (const result of noted) if (result.status === 'rejected') throw result.reason;
  }

  async state(market: Market, egress = this.#deps.egress): Promise<GovernorState> {
    // Of another address only the limits that its workers have stored are known.
    if (egress !== this.#deps.egress)
      return new RedisWeightGovernor({ ...this.#deps, egress }).state(market);
    const { clock, states } = this.#deps;
    const pause = await this.#readPause(market);
    const facts = this.#limitsCache.known(market) ?? factsOf(await states.load(market, egress));
    if (facts === undefined) return { usedWeight: 0, weightLimit: 0, windowMs: 0, pause };
    const usedWeight = await this.#budget(market, facts).used(windowAt(facts, clock.nowMs()));
    return { usedWeight, ...facts.limits, pause };
  }

  /** @param factsNow called again after each wait: limits and clock may have been learned in that time */
  async #acquireBy(
    factsNow: () => MarketLimits | undefined | Promise<MarketLimits>,
    market: Market,
    weight: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      await this.#waitForPause(market, signal);
      const facts = await factsNow();
      if (facts === undefined) throw new CdvaultError('INTERNAL', `no limits of ${market} yet`);
      if (await this.#granted(market, facts, weight, signal)) return;
    }
  }

  /** Returns when no pause is in force. */
  async #waitForPause(market: Market, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    for (;;) {
      signal.throwIfAborted();
      const pause = await this.#readPause(market, signal);
      if (pause === undefined) return;
      if (pause.reason === 'blocked' || pause.reason === 'restricted') throw shutOut(market, pause);
      if (Math.abs((this.#announced.get(market) ?? 0) - pause.untilMs) > 1_000) {
        this.#announced.set(market, pause.untilMs);
        log.info(
          { market, reason: pause.reason, until: new Date(pause.untilMs).toISOString() },
          'Waiting for the exchange',
        );
      }
      await clock.sleep(
        Math.min(LOOK_AGAIN_MS, pause.untilMs - clock.nowMs() + this.#jitterMs()),
        signal,
      );
    }
  }

  /** If Redis is new or was wiped, first writes the ban that the store remembers to it. */
  async #readPause(market: Market, signal?: AbortSignal): Promise<Pause | undefined> {
    const { clock, egress, states } = this.#deps;
    const reading = await this.#pauses.read(market, clock.nowMs(), signal);
    if (reading.informed) return reading.pause;
    const stored = await states.load(market, egress);
    const banned: Pause | undefined =
      stored !== undefined && stored.bannedUntilMs > clock.nowMs()
        ? { reason: 'banned', untilMs: stored.bannedUntilMs }
        : undefined;
    if (banned !== undefined) await this.#pauses.set(market, banned, clock.nowMs());
    await this.#pauses.markInformed(market);
    return reading.pause ?? banned;
  }

  async #rememberBan(market: Market, untilMs: number): Promise<void> {
    const { egress, states } = this.#deps;
    const stored = await states.load(market, egress);
    const facts = this.#limitsCache.known(market);
    await states.save(market, egress, {
      weightLimit: facts?.limits.weightLimit ?? stored?.weightLimit ?? 0,
      windowMs: facts?.limits.windowMs ?? stored?.windowMs ?? 0,
      limitsAtMs: facts?.limitsAtMs ?? stored?.limitsAtMs ?? 0,
      // The store keeps whole milliseconds.
      bannedUntilMs: Math.ceil(Math.max(untilMs, stored?.bannedUntilMs ?? 0)),
    });
  }

  /** True when granted; false after waiting for the next window. */
  async #granted(
    market: Market,
    facts: MarketLimits,
    weight: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { clock, share } = this.#deps;
    assertAffordable(weight, facts.limits, share, market);
    const { windowMs } = facts.limits;
    const guard = guardOf(facts);
    const slot = sendSlot(this.#exchangeNowMs(facts), windowMs, guard);
    let waitMs = slot.waitMs;
    if (waitMs === 0) {
      const isGranted = await this.#budget(market, facts).consume(slot.window, weight, signal);
      const nowMs = this.#exchangeNowMs(facts);
      // With a slow Redis or a busy process the window may be over: a request would count in the next one.
      if (isGranted && sendSlot(nowMs, windowMs, guard).window === slot.window) return true;
      waitMs = nextWindowInMs(nowMs, slot.window, windowMs, guard);
    }
    await clock.sleep(waitMs + this.#jitterMs(), signal);
    return false;
  }

  #budget(market: Market, { limits }: MarketLimits): WindowBudget {
    const { redis, share } = this.#deps;
    const points = windowBudget(limits.weightLimit, share);
    const existing = this.#budgets.get(market);
    if (existing?.points === points && existing.windowMs === limits.windowMs) return existing;
    const { windowMs } = limits;
    const budget = new WindowBudget({ redis, keyPrefix: this.#prefix, market, points, windowMs });
    this.#budgets.set(market, budget);
    return budget;
  }

  #exchangeNowMs(facts: MarketLimits): number {
    return this.#deps.clock.nowMs() + (facts.clock?.offsetMs ?? 0);
  }

  #jitterMs(): number {
    return (this.#deps.random ?? Math.random)() * WAKE_JITTER_MS;
  }
}

function shutOut(market: Market, pause: Pause): CdvaultError {
  const code = pause.reason === 'blocked' ? 'EXCHANGE_BLOCKED' : 'EXCHANGE_RESTRICTED';
  const until = new Date(pause.untilMs).toISOString();
  return new CdvaultError(
    code,
    `Nothing is sent to ${market} until ${until}: the exchange refuses requests from this address`,
    {
      untilMs: pause.untilMs,
    },
  );
}
