import { CdvaultError } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { ExchangeStateStore } from '../../ports/weight-governor.ts';
import { CLOCK_VALID_MS, LIMITS_VALID_MS, factsOf, windowAt } from './market-limits.ts';
import type { ClockReading, ExchangeLimits, MarketLimits } from './market-limits.ts';
import { SharedTask } from './shared-task.ts';

interface MarketLimitsCacheDeps {
  readonly egress: string;
  readonly limits: (
    market: Market,
    signal: AbortSignal,
  ) => Promise<ExchangeLimits & { readonly weight?: number }>;
  readonly exchangeClock?: (market: Market, signal: AbortSignal) => Promise<ClockReading>;
  readonly states: ExchangeStateStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Grants weight by the limits that are known so far. */
  readonly grant: (market: Market, weight: number, signal: AbortSignal) => Promise<void>;
  /** Counts weight that was used without a grant, when no limits were known. */
  readonly spend: (
    market: Market,
    facts: MarketLimits,
    weight: number,
    atMs: number,
  ) => Promise<void>;
}

/** A request that was sent to learn limits or clock. */
interface Sent {
  readonly atMs: number;
  readonly weight: number;
}

const CLOCK_WEIGHT = 1;

/** The first reading includes the connection's set-up time; the best of three is accurate enough. */
const CLOCK_READINGS = 3;

/** The known limits and clock of each market; learned when needed, once for all callers that wait. */
export class MarketLimitsCache {
  readonly #deps: MarketLimitsCacheDeps;
  readonly #facts = new Map<Market, MarketLimits>();
  readonly #learning = new SharedTask<Market>();

  constructor(deps: MarketLimitsCacheDeps) {
    this.#deps = deps;
  }

  /** Sends no request; the result may be stale. */
  known(market: Market): MarketLimits | undefined {
    return this.#facts.get(market);
  }

  /** Limits at most a day old and a clock comparison at most ten minutes old. */
  async current(market: Market, signal: AbortSignal): Promise<MarketLimits> {
    const known = this.#facts.get(market);
    if (known !== undefined && this.#isFresh(known)) return known;
    await this.#learning.run(market, signal, () => this.#learn(market, signal));
    const facts = this.#facts.get(market);
    if (facts !== undefined) return facts;
    throw new CdvaultError('INTERNAL', `the limits of ${market} were not learned`);
  }

  #isFresh(facts: MarketLimits): boolean {
    const nowMs = this.#deps.clock.nowMs();
    const isClockFresh =
      this.#deps.exchangeClock === undefined || nowMs - facts.clockAtMs < CLOCK_VALID_MS;
    return isClockFresh && nowMs - facts.limitsAtMs < LIMITS_VALID_MS;
  }

  async #learn(market: Market, signal: AbortSignal): Promise<void> {
    const { clock, egress, states } = this.#deps;
    const known = this.#facts.get(market) ?? factsOf(await states.load(market, egress));
    const sent: Sent[] = [];
    if (known !== undefined && clock.nowMs() - known.limitsAtMs < LIMITS_VALID_MS) {
      this.#facts.set(market, known);
    } else {
      sent.push(await this.#learnLimits(market, signal));
    }
    await this.#compareClocks(market, sent, signal);
  }

  async #learnLimits(market: Market, signal: AbortSignal): Promise<Sent> {
    const { clock, egress, limits: ask, spend, states } = this.#deps;
    const atMs = clock.nowMs();
    const { weight = 0, ...limits } = await ask(market, signal);
    const before = this.#facts.get(market);
    const facts: MarketLimits = {
      limits,
      limitsAtMs: atMs,
      clock: before?.clock,
      clockAtMs: before?.clockAtMs ?? -Infinity,
    };
    this.#facts.set(market, facts);
    await spend(market, facts, weight, atMs);
    const bannedUntilMs = (await states.load(market, egress))?.bannedUntilMs ?? 0;
    await states.save(market, egress, { ...limits, limitsAtMs: atMs, bannedUntilMs });
    return { atMs, weight };
  }

  /** Takes the reading with the shortest round trip. */
  async #compareClocks(market: Market, sent: Sent[], signal: AbortSignal): Promise<void> {
    const { clock, exchangeClock, grant, log } = this.#deps;
    if (exchangeClock === undefined) return;
    let best: ClockReading | undefined;
    for (let reading = 0; reading < CLOCK_READINGS; reading += 1) {
      await grant(market, CLOCK_WEIGHT, signal);
      sent.push({ atMs: clock.nowMs(), weight: CLOCK_WEIGHT });
      const read = await exchangeClock(market, signal);
      if (best === undefined || read.uncertaintyMs < best.uncertaintyMs) best = read;
    }
    const before = this.#facts.get(market);
    if (before === undefined) return;
    const facts = { ...before, clock: best, clockAtMs: clock.nowMs() };
    await this.#recount(market, sent, before, facts);
    this.#facts.set(market, facts);
    log.debug({ market, ...best }, 'Compared clocks with the exchange');
  }

  /**
   * Counts requests again that the old clock comparison had counted in another window than the exchange
   * did.
   */
  async #recount(
    market: Market,
    sent: readonly Sent[],
    before: MarketLimits,
    facts: MarketLimits,
  ): Promise<void> {
    for (const { atMs, weight } of sent) {
      if (windowAt(before, atMs) === windowAt(facts, atMs)) continue;
      await this.#deps.spend(market, facts, weight, atMs);
    }
  }
}
