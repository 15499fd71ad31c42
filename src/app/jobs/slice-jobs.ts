import { CdvaultError } from '../../domain/errors.ts';
import { compactDay, DAY_MS, floorTo } from '../../domain/time/hour.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { JobOutcome, JobPayloads, JobQueue, RunProgress } from '../../ports/job-queue.ts';
import type { Gap } from '../../ports/ledger.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { type IngestDeps, ingestHour } from '../hour/ingest-hour.ts';

/** Delay when another worker holds the lease: a slice of the busiest hour takes about this long. */
const BUSY_MS = 2_000;

export const DONE: JobOutcome = { done: true };
export const LATER: JobOutcome = { again: { delayMs: BUSY_MS } };

/** Whether a gap means missing trades; the other classes are informational. */
function isLoss({ gapClass }: Gap): boolean {
  return gapClass === 'missing_ids' || gapClass === 'retention';
}

export interface SliceJobsDeps extends IngestDeps {
  readonly queue: JobQueue;
  readonly governor: WeightGovernor;
}

/** Reports finished hours, for progress. */
export type Count = (
  change: Pick<RunProgress, 'slicesDone' | 'gaps'> & Partial<RunProgress>,
) => void;

/** Fetches hours by REST, and what every job that ingests trades has in common. */
export class SliceJobs {
  readonly #deps: SliceJobsDeps;

  constructor(deps: SliceJobsDeps) {
    this.#deps = deps;
  }

  /** Runs work unless the market is banned. During a ban, also one that the work itself meets, the job is delayed. */
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

  /** Undoes the counts of an attempt that fails or is delayed: the next attempt counts all hours again. */
  async countedOnce(
    runId: string,
    work: (count: Count) => Promise<JobOutcome>,
  ): Promise<JobOutcome> {
    let [slicesDone, gaps] = [0, 0];
    const undo = () => this.countRun(runId, { slicesDone: -slicesDone, gaps: -gaps });
    try {
      const outcome = await work((change) => {
        slicesDone += change.slicesDone;
        gaps += change.gaps;
        this.countRun(runId, change);
      });
      if ('again' in outcome) undo();
      return outcome;
    } catch (error) {
      undo();
      throw error;
    }
  }

  /** @param slice `stretch`: name of the flow that it belongs to, if that is not its day's */
  async slice(
    slice: JobPayloads['slice'] & { readonly stretch?: string },
    signal: AbortSignal,
    count: Count,
  ): Promise<JobOutcome> {
    const { runId, hourMs, stretch } = slice;
    const onRows = (rows: number) => this.countRun(runId, { rows });
    const outcome = await ingestHour(this.#deps, slice, signal, onRows);
    if (outcome.kind === 'busy') return LATER;
    const dayMs = floorTo(hourMs, DAY_MS);
    await this.askForBars(slice, [dayMs], { runId, stretch: stretch ?? compactDay(dayMs) });
    const gaps = outcome.kind === 'recorded' ? outcome.gaps.filter(isLoss).length : 0;
    count({ slicesDone: 1, gaps, atHourMs: hourMs });
    return DONE;
  }

  /** A ban may last for days: the job waits for its end in the queue, which uses no attempt and no worker. */
  #afterBan(untilMs: number): JobOutcome {
    return { again: { delayMs: Math.max(BUSY_MS, untilMs - this.#deps.clock.nowMs()) } };
  }

  /**
   * Adds bars jobs for the days of a flow whose bars job has already run: a job of the flow had failed for
   * good and was retried by hand, or another run's flow came first.
   */
  async askForBars(
    series: Series,
    days: readonly number[],
    { runId, stretch }: { readonly runId: string; readonly stretch: string },
  ): Promise<void> {
    const { queue } = this.#deps;
    const [state] = await queue.stretchStates(runId, series, [stretch]);
    if (state === 'pending') return;
    for (const dayMs of days) await queue.addBars(series, dayMs);
  }

  /** Updates progress counters. They are for display only, so an error never fails a job. */
  countRun(runId: string, change: Partial<RunProgress>): void {
    this.#deps.queue.addProgress(runId, change).catch((error: unknown) => {
      this.#deps.log.debug({ error: String(error) }, 'a progress counter was lost');
    });
  }
}
