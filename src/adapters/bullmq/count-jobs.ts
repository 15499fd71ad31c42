import type { Queue } from 'bullmq';
import type { JobKind, QueueCounts } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';

/** Counts the jobs of one kind in its queues. */
export async function countJobs(kind: JobKind, queues: readonly Queue[]): Promise<QueueCounts> {
  const counts = { waiting: 0, active: 0, delayed: 0, failed: 0 };
  for (const queue of queues) {
    // Not getJobs, which would transfer every job (a known outage).
    const all = await redisCall('count its jobs', () => queue.getJobCounts());
    counts.waiting +=
      (all['waiting'] ?? 0) + (all['prioritized'] ?? 0) + (all['waiting-children'] ?? 0);
    counts.active += all['active'] ?? 0;
    counts.delayed += all['delayed'] ?? 0;
    counts.failed += all['failed'] ?? 0;
  }
  return { kind, ...counts };
}
