import { isFilesOnly } from '../../domain/plan/source-choice.ts';
import type { JobHandlers } from '../../ports/job-queue.ts';
import { SliceJobs } from './slice-jobs.ts';
import { StretchJobs, type StretchJobsDeps } from './stretch-jobs.ts';

/** The jobs that ingest trades: an hour by REST, a stretch of days from their archive files. */
export function createIngestHandlers(
  deps: StretchJobsDeps,
): Pick<JobHandlers, 'archive' | 'slice'> {
  const slices = new SliceJobs(deps);
  const stretches = new StretchJobs(deps, slices);
  return {
    archive: (job, { signal }) =>
      isFilesOnly(job.source ?? 'auto')
        ? stretches.run(job, signal)
        : slices.unlessBanned(job.market, () => stretches.run(job, signal)),
    slice: (slice, { signal }) =>
      slices.unlessBanned(slice.market, () =>
        slices.countedOnce(slice.runId, (count) => slices.slice(slice, signal, count)),
      ),
  };
}
