import type { Queue } from 'bullmq';
import { redisCall } from '../redis/redis-call.ts';
import { jobOptions, parsePayload, PRIORITY } from './catalogue.ts';
import { countJobs } from './count-jobs.ts';

const TICK = 'tick';

/** The hourly job of the schedule: its registration, and the job that waits for the next hour. */
export async function registerTick(queue: Queue, everyMs: number, afterMs: number): Promise<void> {
  const template = {
    name: TICK,
    data: parsePayload(TICK, {}),
    opts: jobOptions(TICK, PRIORITY.live),
  };
  const times = { every: everyMs, ...(afterMs > 0 && { offset: afterMs }) };
  await redisCall('register the tick', () => queue.upsertJobScheduler(TICK, times, template));
}

export async function hasTick(queue: Queue): Promise<boolean> {
  const scheduler = await redisCall('return the tick', () => queue.getJobScheduler(TICK));
  if (scheduler === undefined || scheduler === null) return false;
  const { waiting, active, delayed } = await countJobs(TICK, [queue]);
  return waiting + active + delayed > 0;
}

export async function removeTick(queue: Queue): Promise<void> {
  await redisCall('remove the tick', () => queue.removeJobScheduler(TICK));
}
