import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import { daysOf, hoursOf, isoDay, type TimeRange } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Forgetting } from '../../ports/forgetting.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { Leases } from '../../ports/lease.ts';
import { barsLease, chainLease, changeSeries, hourLease, whileHolding } from '../leases.ts';

export interface ForgetDeps {
  readonly forgetting: Forgetting;
  readonly queue: Pick<JobQueue, 'runningOf' | 'removeJobs'>;
  readonly leases: Leases;
  readonly clock: Clock;
  /** Called when compact, prune or a backup has to end first. */
  readonly onWait: () => void;
}

/**
 * Drops all that is stored of a series, and its jobs. The series is marked first, and then nobody may be at it: a job
 * is active, or holds a lease, before it looks whether its series is marked, so either it sees the mark or is seen here.
 * After `kill -9` the mark stays, and the next run drops what is left.
 * @throws CdvaultError SERIES_BUSY when a worker is at it
 */
export async function forgetSeries(
  deps: ForgetDeps,
  series: Series,
  signal: AbortSignal,
): Promise<void> {
  const { forgetting, queue } = deps;
  const forget = async () => {
    // Hours that are in the ledger now; others are known by their jobs.
    const range = (await forgetting.size(series))?.range;
    // Before the mark as well, so that a refusal seldom makes jobs of the series wait.
    await assertIdle(deps, series, range, signal);
    const takeBack = await forgetting.begin(series);
    try {
      await assertIdle(deps, series, range, signal);
    } catch (error) {
      await takeBack();
      throw error;
    }
    await queue.removeJobs(series);
    await forgetting.drop(series, signal);
  };
  const alone = async () => changeSeries(deps, series, forget, signal);
  await whileHolding(deps, 'compact', alone, signal);
}

async function assertIdle(
  { queue, leases }: ForgetDeps,
  series: Series,
  range: TimeRange | undefined,
  signal: AbortSignal,
): Promise<void> {
  const job = await queue.runningOf(series);
  if (job !== undefined) throw busy(series, `a worker is at ${job.kind} ${job.part}`);
  for (const { names, what } of leasesOf(series, range)) {
    const lease = await leases.tryAcquire(names, signal);
    if (lease === undefined) throw busy(series, `a worker is at ${what}`);
    await lease.release();
  }
}

/** The leases of a day at a time: years of hours in one call would stop Redis for others. */
function* leasesOf(series: Series, range: TimeRange | undefined) {
  yield { names: [chainLease(series)], what: 'its continuous levels' };
  if (range === undefined) return;
  const byDay = Map.groupBy(hoursOf(range), isoDay);
  for (const dayMs of daysOf(range)) {
    const what = isoDay(dayMs);
    const hours = byDay.get(what) ?? [];
    const names = hours.map((hourMs) => hourLease({ ...series, hourMs }));
    yield { names: [...names, barsLease(series, dayMs)], what };
  }
}

function busy({ symbol }: Series, why: string): CdvaultError {
  return new CdvaultError('SERIES_BUSY', `${symbol} was not forgotten: ${why}`);
}
