import type { Job, JobType, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Series, seriesKey } from '../../domain/market.ts';
import type { RunningJobFacts } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';
import { toFacts } from './active-jobs.ts';

/** `active`: a job of a killed worker stays so until another worker looks after it. */
const STATES: readonly JobType[] = [
  'waiting-children',
  'wait',
  'prioritized',
  'delayed',
  'active',
  'failed',
  'completed',
];
const JOBS_A_CALL = 500;
/** Of the flows. */
const PARENTS = 'bars';

/** A job of the series that a worker is at, if there is one: it holds the job's lock. */
export async function runningOf(
  redis: Redis,
  queues: Iterable<Queue>,
  series: Series,
): Promise<RunningJobFacts | undefined> {
  for (const queue of queues)
    for (const job of await jobsOf(queue, 'active', series)) {
      const lock = `${queue.toKey(job.id ?? '')}:lock`;
      const isLocked = await redisCall('find the lock of a job', () => redis.exists(lock));
      if (isLocked > 0) return toFacts(job);
    }
  return undefined;
}

/** Removes the jobs of a series that no worker is at. A job of a flow takes its children with it. */
export async function removeJobs(queues: Iterable<Queue>, series: Series): Promise<void> {
  const all = [...queues];
  const [parents = [], others = []] = [true, false].map((isParent) =>
    all.filter(({ name }) => (name === PARENTS) === isParent),
  );
  for (const queue of [...parents, ...others])
    for (const state of STATES)
      for (const job of await jobsOf(queue, state, series))
        await redisCall('remove a job', async () => {
          // One that a worker has taken meanwhile is locked: its handler refuses it.
          await job.remove().catch(() => undefined);
        });
}

async function jobsOf(queue: Queue, state: JobType, series: Series): Promise<readonly Job[]> {
  const found: Job[] = [];
  for (let start = 0; ; start += JOBS_A_CALL) {
    const page: (Job | undefined)[] = await redisCall('list the jobs of a series', () =>
      queue.getJobs(state, start, start + JOBS_A_CALL - 1),
    );
    // One that has ended meanwhile is undefined.
    for (const job of page) if (job !== undefined && isOf(job, series)) found.push(job);
    if (page.length < JOBS_A_CALL) return found;
  }
}

function isOf({ data }: Job, series: Series): boolean {
  const { market, symbol } = (data ?? {}) as Partial<Series>;
  if (market === undefined || symbol === undefined) return false;
  return seriesKey({ market, symbol }) === seriesKey(series);
}
