import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { MARKETS } from '../../domain/market.ts';
import { LIMIT_NAMES } from '../../domain/plan/hours-at-once.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { WorkerFacts, WorkerRegister } from '../../ports/worker-register.ts';
import { redisCall } from './redis-call.ts';

const FACTS = z.object({
  host: z.string(),
  pid: z.number(),
  egress: z.string(),
  from: z.string(),
  isProxied: z.boolean(),
  version: z.string(),
  hours: z.union([
    z.number(),
    z.array(
      z.object({
        market: z.enum(MARKETS),
        hours: z.number(),
        limit: z.enum(LIMIT_NAMES).optional(),
      }),
    ),
  ]),
});

const LIFE_MS = 30_000;
/** Two renewals may fail before a worker is forgotten. */
const RENEW_MS = 10_000;
/** A worker ends at once, also when Redis does not answer; it is forgotten then. */
const REMOVE_MS = 1_000;

/** By the clock of Redis, since those of the hosts may differ. KEYS: facts, times. ARGV: id, facts. */
const ANNOUNCE = `
local time = redis.call('time')
redis.call('hset', KEYS[1], ARGV[1], ARGV[2])
redis.call('zadd', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return 1`;

/** KEYS: facts, times. ARGV: life. Forgets those that have not been announced for so long. */
const READ = `
local time = redis.call('time')
local old = redis.call('zrangebyscore', KEYS[2], '-inf', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1])
for _, id in ipairs(old) do
  redis.call('hdel', KEYS[1], id)
  redis.call('zrem', KEYS[2], id)
end
return redis.call('hvals', KEYS[1])`;

const REMOVE = `
redis.call('hdel', KEYS[1], ARGV[1])
redis.call('zrem', KEYS[2], ARGV[1])
return 1`;

export function createWorkerRegister(deps: {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
  readonly clock: Clock;
  readonly log: Log;
}): WorkerRegister {
  const { redis, keyPrefix, clock, log } = deps;
  const keys = [`${keyPrefix}:workers`, `${keyPrefix}:workers:seen`] as const;
  const renew = async (id: string, facts: WorkerFacts, signal: AbortSignal): Promise<void> => {
    try {
      const text = JSON.stringify({ ...facts, from: await addressOf(redis) });
      const set = () => redis.eval(ANNOUNCE, keys.length, ...keys, id, text);
      await redisCall('store what a worker does', set, { signal });
    } catch (error) {
      if (!signal.aborted) log.debug({ error: String(error) }, 'The worker could not be announced');
    }
  };
  return {
    async announce(facts, signal) {
      const id = randomUUID();
      while (!signal.aborted) {
        await renew(id, facts(), signal);
        await clock.sleep(RENEW_MS, signal).catch(() => undefined);
      }
      try {
        const remove = () => redis.eval(REMOVE, keys.length, ...keys, id);
        await redisCall('remove a worker', remove, { answerMs: REMOVE_MS });
      } catch (error) {
        log.debug({ error: String(error) }, 'The worker is still announced, for half a minute');
      }
    },
    async all() {
      const reply: unknown = await redisCall('list its workers', () =>
        redis.eval(READ, keys.length, ...keys, LIFE_MS),
      );
      const texts = Array.isArray(reply) ? reply.map(String) : [];
      // One of another version may say other things.
      const found = texts.flatMap((text) => FACTS.safeParse(JSON.parse(text)).data ?? []);
      return found.toSorted(
        (one, other) => one.host.localeCompare(other.host) || one.pid - other.pid,
      );
    },
  };
}

/** The address of a connection as Redis sees it; it may not be allowed to ask. */
async function addressOf(redis: Redis): Promise<string> {
  const info = await redisCall('describe the connection', () => redis.client('INFO')).catch(
    () => '',
  );
  return / addr=(\S+):\d+ /.exec(info)?.[1] ?? '';
}
