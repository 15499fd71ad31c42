import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { redisCall } from '../redis/redis-call.ts';

/**
 * Failed jobs are kept longer than done ones, so a child may have outlived its day. BullMQ would take
 * it for the new one and let the day wait for ever for a job that will not run.
 */
export async function forgetFailed(
  redis: Redis,
  queue: Queue,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const failedAt = await redisCall('look for failed jobs', () =>
    redis.zmscore(queue.toKey('failed'), ...ids),
  );
  const failed = ids.filter((_, index) => failedAt[index] !== null);
  await redisCall('forget failed jobs', () =>
    Promise.all(failed.map(async (id) => queue.remove(id))),
  );
}
