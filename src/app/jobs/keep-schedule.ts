import { isoHour, lastClosedHourEnd } from '../../domain/time/hour.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import { compactHour } from '../../domain/time/hour.ts';
import { isDue, type PlanDeps, planSeries } from '../plan/plan-series.ts';
import type { Log } from '../../ports/log.ts';

/**
 * One run of the schedule: for every scheduled series, a feed is enqueued if hours or bars since the
 * schedule's start are due. The first run after a week of downtime catches up. Two schedulers, or a run
 * that starts while the last one's work is still in progress, do no harm. Hours that no source has are
 * requested again after waits that double (isResting()).
 */
export async function keepSchedule(
  deps: PlanDeps & {
    readonly files: ArchiveFiles;
    readonly queue: JobQueue;
    readonly clock: Clock;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const endMs = lastClosedHourEnd(nowMs);
  for (const facts of await deps.catalogue.all()) {
    signal.throwIfAborted();
    if (facts.scheduledFromMs === undefined || facts.scheduledFromMs >= endMs) continue;
    const range = { startMs: facts.scheduledFromMs, endMs };
    const patience = { files: deps.files, nowMs };
    const plan = await planSeries(deps, facts, range, { patience });
    signal.throwIfAborted();
    if (!isDue(plan)) continue;
    deps.log.info(
      { symbol: facts.symbol, dueHours: plan.dueHours, until: isoHour(endMs) },
      'schedule: work is due',
    );
    await deps.queue.addScheduledFeed(`tick-${compactHour(endMs)}`, facts, range);
  }
}
