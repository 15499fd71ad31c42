import { CdvaultError } from '../../domain/errors.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { JobContext, JobHandlers, JobOutcome, JobQueue } from '../../ports/job-queue.ts';
import type { SeriesCatalogue } from '../../ports/ledger.ts';
import { createBarBatches } from '../bars/bar-batches.ts';
import { chainDays, type ChainDeps } from '../bars/chain-days.ts';
import { createFeedRun } from './feed-run.ts';
import { createIngestHandlers } from './ingest-handlers.ts';
import { DONE, LATER } from './slice-jobs.ts';
import type { StretchJobsDeps } from './stretch-jobs.ts';
import type { RulesDeps } from './follow-rules.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { Tracing } from '../../ports/tracing.ts';
import type { PlanDeps } from '../plan/plan-series.ts';

type HandlerDeps = StretchJobsDeps &
  ChainDeps &
  PlanDeps &
  RulesDeps & { readonly tracing: Tracing };

/** What each kind of job does. */
export function createJobHandlers(deps: HandlerDeps): JobHandlers {
  const feedRun = createFeedRun(deps);
  const buildBars = createBarBatches({ ...deps, isMoreToCome: () => isIngesting(deps.queue) });

  const { archive, slice } = createIngestHandlers(deps);
  /** Reads the series when a job begins, which also tells the store which generation of its table is meant. */
  const ofKnown =
    <P extends Series>(handle: (payload: P, context: JobContext) => Promise<JobOutcome>) =>
    async (payload: P, context: JobContext) => {
      await assertKnown(deps.catalogue, payload);
      return handle(payload, context);
    };

  return {
    feed: ofKnown((request, { signal }) => feedRun(request, signal)),
    archive: ofKnown(archive),
    slice: ofKnown(slice),
    bars: ofKnown(async ({ market, symbol, days }, context) => {
      const series = { market, symbol };
      const outcome = await buildBars({ series, days }, context);
      const isPartly = outcome === 'partly_built';
      if (isPartly || outcome === 'built') await deps.queue.addChain(series);
      return isPartly || outcome === 'busy' ? LATER : DONE;
    }),
    chain: ofKnown(async ({ market, symbol }, { signal }) =>
      (await chainDays(deps, { market, symbol }, signal)) === 'busy' ? LATER : DONE,
    ),
    async tick(_, { signal }) {
      await keepSchedule(deps, signal);
      return DONE;
    },
  };
}

/** @throws CdvaultError SERIES_FORGOTTEN for a job that was queued before the series was forgotten */
async function assertKnown(
  catalogue: Pick<SeriesCatalogue, 'find'>,
  { market, symbol }: Series,
): Promise<void> {
  if ((await catalogue.find({ market, symbol })) !== undefined) return;
  throw new CdvaultError(
    'SERIES_FORGOTTEN',
    `the store does not know ${symbol} (${marketName(market)})`,
  );
}

/** Whether trades of more days are being fetched, or are about to be. */
async function isIngesting(queue: JobQueue): Promise<boolean> {
  const counts = await queue.counts(['archive', 'slice']);
  return counts.some(({ waiting, active }) => waiting + active > 0);
}
