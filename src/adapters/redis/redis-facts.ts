import type { Redis } from 'ioredis';
import type { RedisFacts } from '../../ports/doctor.ts';
import { readSettings } from './connection.ts';
import { redisCall } from './redis-call.ts';

const PINGS = 10;

export async function redisFacts(redis: Redis): Promise<RedisFacts> {
  const pingMs = await shortestPing(redis);
  const { policy, isAppendOnly } = await readSettings(redis);
  const info = await redisCall('return its INFO', async () =>
    [await redis.info('server'), await redis.info('memory')].join('\n'),
  );
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  return {
    pingMs,
    version: field('redis_version'),
    policy,
    isAppendOnly,
    usedBytes: Number(field('used_memory') ?? 0),
    mostBytes: Number(field('maxmemory') ?? 0),
    machineBytes: Number(field('total_system_memory') ?? 0),
  };
}

/** After one that waits for the connection. The shortest, since the process does other things meanwhile. */
async function shortestPing(redis: Redis): Promise<number> {
  const ping = async () => redisCall('answer a PING', () => redis.ping());
  await ping();
  let shortestMs = Infinity;
  for (let count = 0; count < PINGS; count += 1) {
    const startMs = performance.now();
    await ping();
    shortestMs = Math.min(shortestMs, performance.now() - startMs);
  }
  return shortestMs;
}
