import type { Redis } from 'ioredis';
import type { Market } from '../../domain/market.ts';
import type { PauseReason } from '../../ports/weight-governor.ts';
import { redisCall } from '../redis/redis-call.ts';

export interface Pause {
  readonly reason: PauseReason;
  readonly untilMs: number;
}

interface PauseReading {
  /** The gravest pause in force. */
  readonly pause: Pause | undefined;
  /** False when the stored bans were never written to this Redis, or it was wiped since. */
  readonly informed: boolean;
}

/** Gravest first: pauses that do not end by waiting come before those that do. */
const REASONS: readonly PauseReason[] = ['restricted', 'blocked', 'banned', 'rate_limited'];

/**
 * Time to live of the `informed` mark. Longer than the longest ban (3 days); it is set again when needed.
 */
const INFORMED_MS = 4 * 86_400_000;

/** Remaining times, not instants: the clocks of the hosts that share the pauses may differ. */
const READ = `
local left = {redis.call('exists', KEYS[1])}
for i = 2, #KEYS do left[i] = redis.call('pttl', KEYS[i]) end
return left`;

/** A pause is never shortened: two workers may report the same refusal in any order. */
const LENGTHEN = `
if redis.call('pttl', KEYS[1]) < tonumber(ARGV[1]) then redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[1]) end
return 1`;

/** Pauses and bans of one egress address, seen by every worker and host that shares the Redis. */
export class SharedPauses {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #baseUrls: Partial<Record<Market, string>>;

  /** @param baseUrls base URL of each market */
  constructor(redis: Redis, prefix: string, baseUrls: Partial<Record<Market, string>>) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#baseUrls = baseUrls;
  }

  /** One round trip. */
  async read(market: Market, nowMs: number, signal?: AbortSignal): Promise<PauseReading> {
    const keys = [
      this.#informedKey(market),
      ...REASONS.map((reason) => this.#pauseKey(market, reason)),
    ];
    const reply: unknown = await redisCall(
      'return the pauses',
      () => this.#redis.eval(READ, keys.length, ...keys),
      { signal },
    );
    const [informed, ...leftMs] = Array.isArray(reply) ? reply.map(Number) : [];
    const index = leftMs.findIndex((left) => left > 0);
    const reason = REASONS[index];
    const pause =
      reason === undefined ? undefined : { reason, untilMs: nowMs + (leftMs[index] ?? 0) };
    return { pause, informed: informed === 1 };
  }

  async set(market: Market, pause: Pause, nowMs: number): Promise<void> {
    const leftMs = Math.ceil(pause.untilMs - nowMs);
    if (leftMs <= 0) return;
    const until = new Date(pause.untilMs).toISOString();
    await redisCall('store a pause', () =>
      this.#redis.eval(LENGTHEN, 1, this.#pauseKey(market, pause.reason), leftMs, until),
    );
  }

  async markInformed(market: Market): Promise<void> {
    await redisCall('store that bans are known', () =>
      this.#redis.set(this.#informedKey(market), '1', 'PX', INFORMED_MS),
    );
  }

  /**
   * A restriction by location is kept for each base URL, since another host may serve this location (our
   * advice).
   */
  #pauseKey(market: Market, reason: PauseReason): string {
    const key = `${this.#prefix}:pause:${market}:${reason}`;
    return reason === 'restricted' ? `${key}:${this.#baseUrls[market] ?? ''}` : key;
  }

  #informedKey(market: Market): string {
    return `${this.#prefix}:bans-known:${market}`;
  }
}
