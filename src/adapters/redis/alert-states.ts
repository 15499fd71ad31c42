import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { AlertStates } from '../../ports/alerts.ts';
import { redisCall } from './redis-call.ts';

const STATE = z.object({
  since: z.record(z.string(), z.number()),
  told: z.array(z.string()),
  toldMs: z.number(),
});

/** One field a rule. When Redis loses it, what is still wrong is told once more. */
export function createAlertStates(deps: {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
}): AlertStates {
  const { redis, keyPrefix } = deps;
  const key = `${keyPrefix}:alerts`;
  return {
    async read(rule) {
      const text = await redisCall('return the state of alerts', () => redis.hget(key, rule));
      return text === null ? undefined : STATE.parse(JSON.parse(text));
    },
    async write(rule, state) {
      await redisCall('store the state of alerts', () =>
        redis.hset(key, rule, JSON.stringify(state)),
      );
    },
  };
}
