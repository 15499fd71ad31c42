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
  /** False when this Redis has never been told of remembered bans, or has been wiped since. */
  readonly informed: boolean;
}

/** Gravest first: what ends by waiting comes after what does not. */
const REASONS: readonly PauseReason[] = ['restricted', 'blocked', 'banned', 'rate_limited'];

/** The mark of `informed` needs no longer life than the longest ban (3 days); it is set again as needed. */
const INFORMED_MS = 4 * 86_400_000;

/** Times left, not instants: the clocks of the hosts that share this board may differ. */
const READ = `
local left = {redis.call('exists', KEYS[1])}
for i = 2, #KEYS do left[i] = redis.call('pttl', KEYS[i]) end
return left`;

/** A pause is only ever made longer: two workers may report the same refusal in any order. */
const LENGTHEN = `
if redis.call('pttl', KEYS[1]) < tonumber(ARGV[1]) then redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[1]) end
return 1`;

/** Pauses and bans of one egress address, seen by every worker and host that shares the Redis. */
export class SharedPauses {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #baseUrls: Partial<Record<Market, string>>;

  /** @param baseUrls where each market is asked */
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
      'tell whether requests are paused',
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
    await redisCall('note a pause', () =>
      this.#redis.eval(LENGTHEN, 1, this.#pauseKey(market, pause.reason), leftMs, until),
    );
  }

  async markInformed(market: Market): Promise<void> {
    await redisCall('note that bans are known', () =>
      this.#redis.set(this.#informedKey(market), '1', 'PX', INFORMED_MS),
    );
  }

  /** What one host does not serve to this place, another may: to ask there is what we advise. */
  #pauseKey(market: Market, reason: PauseReason): string {
    const key = `${this.#prefix}:pause:${market}:${reason}`;
    return reason === 'restricted' ? `${key}:${this.#baseUrls[market] ?? ''}` : key;
  }

  #informedKey(market: Market): string {
    return `${this.#prefix}:bans-known:${market}`;
  }
}
