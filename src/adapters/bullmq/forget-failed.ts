import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { redisCall } from '../redis/redis-call.ts';

/**
 * Removes failed jobs with these ids before jobs with the same ids are added. Failed jobs are kept longer than
 * completed ones, so a child may still exist when its day's job is gone. BullMQ would treat it as the new
 * child, and the day would wait endlessly for a job that does not run.
 */
export async function forgetFailed(
  redis: Redis,
  queue: Queue,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const failedAt = await redisCall('find failed jobs', () =>
    redis.zmscore(queue.toKey('failed'), ...ids),
  );
  const failed = ids.filter((_, index) => failedAt[index] !== null);
  await redisCall('remove failed jobs', () =>
    Promise.all(failed.map(async (id) => queue.remove(id))),
  );
}
