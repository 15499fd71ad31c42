import type { JobHandlers } from '../../ports/job-queue.ts';
import { buildBars } from '../bars/build-bars.ts';
import { chainDays, type ChainDeps } from '../bars/chain-days.ts';
import { createFeedRun } from './feed-run.ts';
import { createIngestHandlers, DONE, type IngestHandlerDeps, LATER } from './ingest-handlers.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { PlanDeps } from '../plan/plan-series.ts';

type HandlerDeps = IngestHandlerDeps & ChainDeps & PlanDeps;

/** What each kind of job does. */
export function createJobHandlers(deps: HandlerDeps): JobHandlers {
  const feedRun = createFeedRun(deps);

  return {
    feed: (request, { signal }) => feedRun(request, signal),
    ...createIngestHandlers(deps),
    async bars({ market, symbol, dayMs }, { signal }) {
      const series = { market, symbol };
      const outcome = await buildBars(deps, series, dayMs, signal);
      if (outcome === 'busy') return LATER;
      if (outcome === 'built') await deps.queue.addChain(series);
      return DONE;
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
