import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { ServeAddress } from '../../ports/serve-address.ts';
import { redisCall } from './redis-call.ts';

const PLACES = z.object({ own: z.string(), url: z.string() });

/** How long the address of a killed `serve` is still found. */
const TTL_MS = 60_000;
/** Two renewals may fail before the address expires. */
const RENEW_MS = 20_000;
/** `serve` ends at once, also when Redis does not answer; the address then expires. */
const REMOVE_MS = 1_000;

/** Another `serve` may have announced itself since. */
const REMOVE_OURS = `
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1`;

export function createServeAddress(deps: {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
  readonly clock: Clock;
  readonly log: Log;
}): ServeAddress {
  const { redis, keyPrefix, clock, log } = deps;
  const key = `${keyPrefix}:serve`;
  const pause = async (signal: AbortSignal): Promise<void> => {
    try {
      await clock.sleep(RENEW_MS, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const renew = async (text: string, signal: AbortSignal): Promise<void> => {
    try {
      const set = () => redis.set(key, text, 'PX', TTL_MS);
      await redisCall('store the address of serve', set, { signal });
    } catch (error) {
      if (!signal.aborted)
        log.warn({ error }, 'The address of serve could not be announced; trying again');
    }
  };
  return {
    async announce(places, signal) {
      const text = JSON.stringify(places);
      while (!signal.aborted) {
        await renew(text, signal);
        await pause(signal);
      }
      try {
        const remove = () => redis.eval(REMOVE_OURS, 1, key, text);
        await redisCall('remove the address of serve', remove, { answerMs: REMOVE_MS });
      } catch (error) {
        log.warn({ error }, 'The address of serve could not be removed; it expires in a minute');
      }
    },
    async find() {
      const text = await redisCall('return the address of serve', () => redis.get(key));
      return text === null ? undefined : PLACES.parse(JSON.parse(text));
    },
  };
}
