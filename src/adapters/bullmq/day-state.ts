import type { JobState } from 'bullmq';
import type { DayJobState } from '../../ports/job-queue.ts';

/** A job that does not exist was removed after completion: failed jobs are kept much longer. */
export function toDayState(state: JobState | 'unknown'): DayJobState {
  if (state === 'failed') return 'failed';
  return state === 'completed' || state === 'unknown' ? 'done' : 'pending';
}
