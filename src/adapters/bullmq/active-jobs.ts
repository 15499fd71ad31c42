import type { Job, Queue } from 'bullmq';
import { isoDay, isoHour } from '../../domain/time/hour.ts';
import type { JobKind, JobPayloads, RunningJobFacts } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';
import { CATALOGUE, JOB_KINDS } from './catalogue.ts';

/** The jobs that run, oldest first, at most `limit` of each queue. */
export async function activeJobs(
  queues: Iterable<Queue>,
  limit: number,
): Promise<RunningJobFacts[]> {
  const lists = await redisCall('list running jobs', () =>
    Promise.all([...queues].map(async (queue) => queue.getActive(0, limit - 1))),
  );
  return lists
    .flat()
    .flatMap((job: Job) => toFacts(job) ?? [])
    .toSorted((left, right) => left.sinceMs - right.sinceMs);
}

/** @returns undefined for a job that is none of ours, or has ended meanwhile */
export function toFacts(job: Job | undefined): RunningJobFacts | undefined {
  const kind = JOB_KINDS.find((known) => known === job?.name);
  if (job?.processedOn === undefined || kind === undefined) return undefined;
  const payload = CATALOGUE[kind].schema.safeParse(job.data);
  if (!payload.success) return undefined;
  const { data } = payload;
  const series = 'symbol' in data ? { market: data.market, symbol: data.symbol } : undefined;
  return { kind, series, part: partOf(data), sinceMs: job.processedOn };
}

function partOf(payload: JobPayloads[JobKind]): string {
  if ('hourMs' in payload) return isoHour(payload.hourMs);
  if ('startMs' in payload) return `${isoDay(payload.startMs)} to ${isoDay(payload.endMs)}`;
  if (!('days' in payload)) return '';
  const days = payload.days.map((day) => (typeof day === 'number' ? day : day.dayMs));
  const [first = 0, last = first] = [days[0], days.at(-1)];
  return days.length < 2 ? isoDay(first) : `${isoDay(first)} to ${isoDay(last)}`;
}
