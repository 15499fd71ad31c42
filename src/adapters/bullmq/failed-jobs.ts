import type { Job, Queue } from 'bullmq';
import { type ErrorCode, ERRORS } from '../../domain/error-catalogue.ts';
import type { FailedJob, NewestFailure } from '../../ports/job-queue.ts';
import { redisCall } from '../redis/redis-call.ts';
import { CATALOGUE, JOB_KINDS } from './catalogue.ts';
import { runPrefix } from './job-ids.ts';

interface RunQueue {
  readonly kind: 'archive' | 'slice' | 'bars' | 'feed';
  readonly queue: Queue;
}

/**
 * Ids in one call, of 50 bytes each. Only ids, since one call for all whole jobs has blocked a Redis for
 * seconds.
 */
const IDS_A_CALL = 1_000;

/** The number of failed jobs that are kept (see KEEP). */
const MAX_IDS = 10_000;

/** The failed jobs of a run, newest first, at most `limit`. */
export async function failedJobs(
  queues: readonly RunQueue[],
  runId: string,
  limit: number,
): Promise<FailedJob[]> {
  const found: { job: Job; failed: FailedJob }[] = [];
  for (const { kind, queue } of queues) {
    for (const id of await failedIds(queue, runPrefix(kind, runId), limit)) {
      const job: Job | undefined = await redisCall('return a failed job', () => queue.getJob(id));
      const failed = job === undefined ? undefined : toFailedJob(kind, job, runId);
      if (job !== undefined && failed !== undefined) found.push({ job, failed });
    }
  }
  return found
    .toSorted((left, right) => (right.job.finishedOn ?? 0) - (left.job.finishedOn ?? 0))
    .slice(0, limit)
    .map(({ failed }) => failed);
}

/** The job that failed last; the name of a job is its kind. */
export async function newestFailure(queues: Iterable<Queue>): Promise<NewestFailure | undefined> {
  const found = await redisCall('return the newest failed jobs', () =>
    Promise.all([...queues].map(async (queue) => newestIn(queue))),
  );
  return found
    .filter((failure) => failure !== undefined)
    .toSorted((left, right) => right.atMs - left.atMs)[0];
}

async function newestIn(queue: Queue): Promise<NewestFailure | undefined> {
  const [id] = await queue.getRanges(['failed'], 0, 0);
  const job: Job | undefined = id === undefined ? undefined : await queue.getJob(id);
  const kind = JOB_KINDS.find((known) => known === job?.name);
  if (job?.finishedOn === undefined || kind === undefined) return undefined;
  return { kind, atMs: job.finishedOn, reason: storedReason(job.failedReason).reason };
}

async function failedIds(queue: Queue, prefix: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < MAX_IDS && ids.length < limit; start += IDS_A_CALL) {
    const page = await redisCall('list failed jobs', () =>
      queue.getRanges(['failed'], start, start + IDS_A_CALL - 1),
    );
    ids.push(...page.filter((id) => id.startsWith(prefix)));
    if (page.length < IDS_A_CALL) break;
  }
  return ids.slice(0, limit);
}

function toFailedJob(kind: RunQueue['kind'], job: Job, runId: string): FailedJob | undefined {
  const payload = CATALOGUE[kind].schema.safeParse(job.data);
  // The jobs of a run `a-spot` have ids with the prefix of a run `a`, but must not be listed for it.
  if (!payload.success || payload.data.runId !== runId) return undefined;
  return { kind, payload: payload.data, ...storedReason(job.failedReason) };
}

/** Parses the reason that toQueueError() stored; BullMQ's own reasons (stalled too often) have no code. */
function storedReason(stored: string | undefined): Pick<FailedJob, 'code' | 'reason'> {
  const text = stored ?? 'no reason recorded';
  const code = text.slice(0, Math.max(0, text.indexOf(':')));
  return isErrorCode(code)
    ? { code, reason: text }
    : { code: 'INTERNAL', reason: `INTERNAL: ${text}` };
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
