import type { JobHandlers, JobQueue } from '../../ports/job-queue.ts';
import { createBarBatches } from '../bars/bar-batches.ts';
import { chainDays, type ChainDeps } from '../bars/chain-days.ts';
import { createFeedRun } from './feed-run.ts';
import { createIngestHandlers } from './ingest-handlers.ts';
import { DONE, LATER } from './slice-jobs.ts';
import type { StretchJobsDeps } from './stretch-jobs.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { PlanDeps } from '../plan/plan-series.ts';

type HandlerDeps = StretchJobsDeps & ChainDeps & PlanDeps;

/** What each kind of job does. */
export function createJobHandlers(deps: HandlerDeps): JobHandlers {
  const feedRun = createFeedRun(deps);
  const buildBars = createBarBatches({ ...deps, isMoreToCome: () => isIngesting(deps.queue) });

  return {
    feed: (request, { signal }) => feedRun(request, signal),
    ...createIngestHandlers(deps),
    async bars({ market, symbol, days }, context) {
      const series = { market, symbol };
      const outcome = await buildBars({ series, days }, context);
      const isPartly = outcome === 'partly_built';
      if (isPartly || outcome === 'built') await deps.queue.addChain(series);
      return isPartly || outcome === 'busy' ? LATER : DONE;
    },
    async chain({ market, symbol }, { signal }) {
      return (await chainDays(deps, { market, symbol }, signal)) === 'busy' ? LATER : DONE;
    },
    async tick(_, { signal }) {
      await keepSchedule(deps, signal);
      return DONE;
    },
  };
}

/** Whether trades of more days are being fetched, or are about to be. */
async function isIngesting(queue: JobQueue): Promise<boolean> {
  const counts = await queue.counts(['archive', 'slice']);
  return counts.some(({ waiting, active }) => waiting + active > 0);
}
