import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Market } from '../../domain/market.ts';
import { redisCall } from '../redis/redis-call.ts';

/**
 * The library's own script also counts refused requests, so that a refused heavy request would take the place
 * of light ones. This script counts granted requests only: its count is comparable to the exchange's.
 * ARGV: requested points, seconds to live, allowed points.
 */
const CONSUME = `
local used = tonumber(redis.call('get', KEYS[1]) or '0') + tonumber(ARGV[1])
if used <= tonumber(ARGV[3]) then redis.call('set', KEYS[1], used, 'EX', ARGV[2]) end
return {used, 1000 * ARGV[2]}`;

/** Raises the count to that of the exchange. A maximum, so that simultaneous observations don't add up. */
const RAISE = `
if tonumber(redis.call('get', KEYS[1]) or '0') < tonumber(ARGV[1]) then redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
return 1`;

/** The weight used in each window of the exchange, one counter for all workers and hosts. */
export class WindowBudget {
  readonly #redis: Redis;
  readonly #market: Market;
  readonly #limiter: RateLimiterRedis;
  readonly #lifeSeconds: number;
  readonly windowMs: number;
  /** The greatest count that this process knows, so that most observations need no round trip. */
  #known = { window: -1, used: 0 };

  constructor(deps: {
    redis: Redis;
    keyPrefix: string;
    market: Market;
    points: number;
    windowMs: number;
  }) {
    this.#redis = deps.redis;
    this.#market = deps.market;
    this.windowMs = deps.windowMs;
    // Two windows: hosts whose clocks differ still find the counter of the current window.
    this.#lifeSeconds = Math.ceil((2 * deps.windowMs) / 1000);
    this.#limiter = new RateLimiterRedis({
      storeClient: deps.redis,
      keyPrefix: `${deps.keyPrefix}:weight`,
      points: deps.points,
      duration: this.#lifeSeconds,
      customIncrTtlLuaScript: CONSUME,
    });
  }

  get points(): number {
    return this.#limiter.points;
  }

  /** False when the window has too little left. One round trip. */
  async consume(window: number, weight: number, signal?: AbortSignal): Promise<boolean> {
    const { consumedPoints } = await redisCall(
      'grant request weight',
      () => this.#grant(window, weight),
      { signal },
    );
    if (consumedPoints > this.points) return false;
    // Not a maximum: a count below the known one means that Redis was wiped and must be raised again.
    if (window >= this.#known.window) this.#known = { window, used: consumedPoints };
    return true;
  }

  /** Counts weight that was sent without a grant; if it does not fit, the window is used up. */
  async spend(window: number, weight: number): Promise<void> {
    if (!(await this.consume(window, weight))) await this.raiseTo(window, this.points);
  }

  /**
   * Raises the count to what the exchange has counted in a window, with that of other programs. A few requests
   * that were in flight at that moment may be missing: a share below 1 covers them.
   */
  async raiseTo(window: number, used: number): Promise<void> {
    if (this.#known.window === window && this.#known.used >= used) return;
    const key = this.#limiter.getKey(this.#key(window));
    await redisCall('store the used weight', () =>
      this.#redis.eval(RAISE, 1, key, used, this.#lifeSeconds),
    );
    if (window >= this.#known.window) this.#known = { window, used };
  }

  async used(window: number): Promise<number> {
    const found = await redisCall('return the used weight', () =>
      this.#limiter.get(this.#key(window)),
    );
    return found?.consumedPoints ?? 0;
  }

  async #grant(window: number, weight: number): Promise<RateLimiterRes> {
    try {
      return await this.#limiter.consume(this.#key(window), weight);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    }
  }

  #key(window: number): string {
    return `${this.#market}:${window}`;
  }
}
