import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { CdvaultError } from '../../domain/errors.ts';
import type { QueueCures, QueueFacts } from '../../ports/doctor.ts';
import { redisCall } from '../redis/redis-call.ts';
import { JOB_KINDS, queueNames } from './catalogue.ts';
import { forgetFailed } from './forget-failed.ts';
import { workerClientName } from './worker-connection.ts';

const IDS_A_CALL = 1_000;

interface QueueCheck extends Pick<QueueFacts, 'stalled' | 'workers'>, QueueCures {
  close(): Promise<void>;
}

/** What an operator asks of the queues, and no job does. */
export function createQueueCheck(redis: Redis, prefix: string): QueueCheck {
  const options = { connection: redis, prefix, skipVersionCheck: true };
  const queues = JOB_KINDS.flatMap((kind) => queueNames(kind)).map((name) =>
    // A failure is the caller's; without a listener its event would end the process.
    new Queue(name, options).on('error', () => undefined),
  );
  return {
    async stalled() {
      const found = await Promise.all(queues.map(async (queue) => withoutLock(redis, queue)));
      return found.flat();
    },
    async workers() {
      try {
        const clients = await redisCall('list its clients', () => redis.client('LIST'));
        const name = ` name=${workerClientName(prefix)} `;
        return String(clients)
          .split('\n')
          .filter((line) => line.includes(name)).length;
      } catch (error) {
        if (error instanceof CdvaultError && error.code === 'REDIS_REFUSED') return undefined;
        throw error;
      }
    },
    async forgetFailed() {
      let forgotten = 0;
      for (const queue of queues) {
        for (;;) {
          const ids = await redisCall('list failed jobs', () =>
            queue.getRanges(['failed'], 0, IDS_A_CALL - 1),
          );
          await forgetFailed(redis, queue, ids);
          forgotten += ids.length;
          if (ids.length < IDS_A_CALL) break;
        }
      }
      return forgotten;
    },
    async close() {
      await Promise.all(queues.map(async (queue) => queue.close()));
    },
  };
}

/** A worker renews the lock of each job that it runs; a job without one has lost its worker. */
async function withoutLock(redis: Redis, queue: Queue): Promise<readonly string[]> {
  const ids = await redisCall('list running jobs', () =>
    redis.lrange(queue.toKey('active'), 0, -1),
  );
  const locks = await redisCall('return locks', () =>
    Promise.all(ids.map(async (id) => redis.exists(`${queue.toKey(id)}:lock`))),
  );
  const lost = ids.filter((_, index) => locks[index] === 0);
  // A job that has ended meanwhile has neither a lock nor a place in the list.
  const still = await redisCall('list running jobs', () =>
    Promise.all(lost.map(async (id) => redis.lpos(queue.toKey('active'), id))),
  );
  return lost.filter((_, index) => still[index] !== null);
}
