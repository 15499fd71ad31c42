import { CdvaultError } from '../domain/errors.ts';
import { DAY_MS, floorTo } from '../domain/hour.ts';
import type { Market, Series } from '../domain/market.ts';
import type {
  JobHandlers,
  JobOutcome,
  JobPayloads,
  JobQueue,
  RunProgress,
} from '../ports/job-queue.ts';
import type { Gap } from '../ports/ledger.ts';
import type { WeightGovernor } from '../ports/weight-governor.ts';
import { ingestDay, type IngestDayDeps } from './ingest-day.ts';
import { ingestSlice } from './ingest-slice.ts';

/** Another worker holds the lease: a slice of the busiest hour takes about this long. */
const BUSY_MS = 2_000;

export const DONE: JobOutcome = { done: true };
export const LATER: JobOutcome = { again: { delayMs: BUSY_MS } };

/** The other classes are worth knowing, but nothing is missing for them. */
function isLoss({ gapClass }: Gap): boolean {
  return gapClass === 'missing_ids' || gapClass === 'retention';
}

type IngestHandlerDeps = IngestDayDeps & {
  readonly queue: JobQueue;
  readonly governor: WeightGovernor;
};

/** The jobs that bring trades: an hour by REST, a day from its archive file. */
export function createIngestHandlers(
  deps: IngestHandlerDeps,
): Pick<JobHandlers, 'archive' | 'slice'> {
  const jobs = new IngestJobs(deps);
  return {
    archive: (day, { signal }) => jobs.unlessBanned(day.market, () => jobs.archive(day, signal)),
    slice: (slice, { signal }) => jobs.unlessBanned(slice.market, () => jobs.slice(slice, signal)),
  };
}

class IngestJobs {
  readonly #deps: IngestHandlerDeps;

  constructor(deps: IngestHandlerDeps) {
    this.#deps = deps;
  }

  /** The first to hear of a ban waits like all who come after it. */
  async unlessBanned(market: Market, work: () => Promise<JobOutcome>): Promise<JobOutcome> {
    const { pause } = await this.#deps.governor.state(market);
    if (pause?.reason === 'banned') return this.#afterBan(pause.untilMs);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CdvaultError) || error.code !== 'EXCHANGE_BANNED') throw error;
      return this.#afterBan(error.untilMs ?? 0);
    }
  }

  async slice(slice: JobPayloads['slice'], signal: AbortSignal): Promise<JobOutcome> {
    const { runId, hourMs } = slice;
    const onRows = (rows: number) => this.#count(runId, { rows });
    const outcome = await ingestSlice(this.#deps, slice, signal, onRows);
    if (outcome.kind === 'busy') return LATER;
    await this.#askForBars(runId, slice, hourMs);
    const gaps = outcome.kind === 'recorded' ? outcome.gaps.filter(isLoss).length : 0;
    this.#count(runId, { slicesDone: 1, gaps, atHourMs: hourMs });
    return DONE;
  }

  async archive(day: JobPayloads['archive'], signal: AbortSignal): Promise<JobOutcome> {
    const left = await this.#hoursLeft(day, signal);
    if (left === 'busy') return LATER;
    const { market, symbol, runId } = day;
    for (const hourMs of left) {
      const outcome = await this.slice({ market, symbol, runId, hourMs }, signal);
      if ('again' in outcome) return outcome;
    }
    await this.#askForBars(runId, day, day.dayMs);
    return DONE;
  }

  /** A file that is wrong is told of, and its hours are asked for by REST. */
  async #hoursLeft(
    day: JobPayloads['archive'],
    signal: AbortSignal,
  ): Promise<readonly number[] | 'busy'> {
    try {
      const onRows = (rows: number) => this.#count(day.runId, { rows });
      const outcome = await ingestDay(this.#deps, day, signal, onRows);
      if (outcome.kind === 'busy') return 'busy';
      if (outcome.kind === 'recorded')
        this.#count(day.runId, { slicesDone: outcome.proven.length, atHourMs: day.dayMs });
      return outcome.left;
    } catch (error) {
      const isFileWrong =
        error instanceof CdvaultError &&
        (error.code === 'ARCHIVE_BAD_FILE' || error.code === 'ARCHIVE_BAD_ROW');
      if (!isFileWrong) throw error;
      const fields = { symbol: day.symbol, error: error.message };
      this.#deps.log.warn(fields, 'archive file refused; REST instead');
      return day.hours;
    }
  }

  /** A ban may last for days: a job waits for its end in the queue, where it costs no attempt and no worker. */
  #afterBan(untilMs: number): JobOutcome {
    return { again: { delayMs: Math.max(BUSY_MS, untilMs - this.#deps.clock.nowMs()) } };
  }

  /**
   * A slice that is done only after its flow's bars job has run (it failed for good and was tried
   * again by hand, or another run's flow got there first) asks for its day's bars itself.
   */
  async #askForBars(runId: string, series: Series, hourMs: number): Promise<void> {
    const { queue } = this.#deps;
    const dayMs = floorTo(hourMs, DAY_MS);
    const [state] = await queue.dayStates(runId, series, [dayMs]);
    if (state !== 'pending') await queue.addBars(series, dayMs);
  }

  /** Counters are for watching: they may never fail a job. */
  #count(runId: string, change: Partial<RunProgress>): void {
    this.#deps.queue.addProgress(runId, change).catch((error: unknown) => {
      this.#deps.log.debug({ error: String(error) }, 'a progress counter was lost');
    });
  }
}
