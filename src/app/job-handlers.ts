import { CdvaultError } from '../domain/errors.ts';
import { DAY_MS, floorTo } from '../domain/hour.ts';
import type { Series } from '../domain/market.ts';
import type {
  JobHandlers,
  JobOutcome,
  JobPayloads,
  JobQueue,
  RunProgress,
} from '../ports/job-queue.ts';
import type { Gap } from '../ports/ledger.ts';
import type { WeightGovernor } from '../ports/weight-governor.ts';
import { buildBars } from './build-bars.ts';
import { chainDays, type ChainDeps } from './chain-days.ts';
import { createFeedRun } from './feed-run.ts';
import { type IngestDeps, ingestSlice } from './ingest-slice.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { PlanDeps } from './plan-series.ts';

/** Another worker holds the lease: a slice of the busiest hour takes about this long. */
const BUSY_MS = 2_000;

const DONE: JobOutcome = { done: true };
const LATER: JobOutcome = { again: { delayMs: BUSY_MS } };

type HandlerDeps = IngestDeps &
  ChainDeps &
  PlanDeps & { readonly queue: JobQueue; readonly governor: WeightGovernor };

/** The other classes are worth knowing, but nothing is missing for them. */
function isLoss({ gapClass }: Gap): boolean {
  return gapClass === 'missing_ids' || gapClass === 'retention';
}

/** What each kind of job does. */
export function createJobHandlers(deps: HandlerDeps): JobHandlers {
  const feedRun = createFeedRun(deps);

  /** Counters are for watching: they may never fail a job. */
  function count(runId: string, change: Partial<RunProgress>): void {
    deps.queue.addProgress(runId, change).catch((error: unknown) => {
      deps.log.debug({ error: String(error) }, 'a progress counter was lost');
    });
  }

  /**
   * A slice that is done only after its flow's bars job has run (it failed for good and was tried
   * again by hand, or another run's flow got there first) asks for its day's bars itself.
   */
  async function askForBars(runId: string, series: Series, hourMs: number): Promise<void> {
    const dayMs = floorTo(hourMs, DAY_MS);
    const [state] = await deps.queue.dayStates(runId, series, [dayMs]);
    if (state !== 'pending') await deps.queue.addBars(series, dayMs);
  }

  /** A ban may last for days: a job waits for its end in the queue, where it costs no attempt and no worker. */
  function afterBan(untilMs: number): JobOutcome {
    return { again: { delayMs: Math.max(BUSY_MS, untilMs - deps.clock.nowMs()) } };
  }

  async function ingest(slice: JobPayloads['slice'], signal: AbortSignal): Promise<JobOutcome> {
    const outcome = await ingestSlice(deps, slice, signal, (rows) => count(slice.runId, { rows }));
    if (outcome.kind === 'busy') return LATER;
    await askForBars(slice.runId, slice, slice.hourMs);
    const gaps = outcome.kind === 'recorded' ? outcome.gaps.filter(isLoss).length : 0;
    count(slice.runId, { slicesDone: 1, gaps, atHourMs: slice.hourMs });
    return DONE;
  }

  return {
    feed: (request) => feedRun(request),
    async slice(slice, { signal }) {
      const { pause } = await deps.governor.state(slice.market);
      if (pause?.reason === 'banned') return afterBan(pause.untilMs);
      try {
        return await ingest(slice, signal);
      } catch (error) {
        // The first to hear of a ban waits like all who come after it.
        if (!(error instanceof CdvaultError) || error.code !== 'EXCHANGE_BANNED') throw error;
        return afterBan(error.untilMs ?? 0);
      }
    },
    async bars({ market, symbol, dayMs }) {
      const series = { market, symbol };
      const outcome = await buildBars(deps, series, dayMs);
      if (outcome === 'busy') return LATER;
      if (outcome === 'built') await deps.queue.addChain(series);
      return DONE;
    },
    async chain({ market, symbol }) {
      return (await chainDays(deps, { market, symbol })) === 'busy' ? LATER : DONE;
    },
    async tick() {
      await keepSchedule(deps);
      return DONE;
    },
  };
}
