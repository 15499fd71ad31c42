import type { StoredSeries } from '../../ports/doctor.ts';
import type { NewestFailure, QueueCounts } from '../../ports/job-queue.ts';
import { ruleText, type ScheduleRule } from '../../domain/plan/schedule-rule.ts';
import { fail, ok, skipped, type Verdict, warn } from './check.ts';
import { countText, namesText } from './wording.ts';

export function failedJobs(
  counts: readonly QueueCounts[],
  newest: NewestFailure | undefined,
): Verdict {
  const failed = counts.reduce((sum, one) => sum + one.failed, 0);
  if (failed === 0) return ok('none', { failed });
  const figures = {
    failed,
    ...Object.fromEntries(
      counts.filter((one) => one.failed > 0).map((one) => [one.kind, one.failed]),
    ),
    ...(newest !== undefined && { newestAtMs: newest.atMs, reason: newest.reason }),
  };
  const [code = ''] = (newest?.reason ?? '').split(':');
  const last = newest === undefined ? '' : `, the newest a ${newest.kind} job: ${code}`;
  return warn(
    `${countText(failed, 'job')}${last}`,
    'Run the same backfill again; cdvault doctor --fix forgets the failed jobs',
    figures,
  );
}

export function stalledJobs(ids: readonly string[], workers: number | undefined): Verdict {
  const figures = { stalled: ids.length };
  if (ids.length === 0) return ok('none', figures);
  return warn(
    `the worker of ${countText(ids.length, 'job')} is lost: ${namesText(ids, 1)}`,
    workers === 0
      ? 'Start a worker, which takes them over: cdvault worker'
      : 'A worker takes them over within half a minute; run cdvault doctor again',
    figures,
  );
}

/** The tick is the hourly job that plans what scheduled series lack. */
export function schedule({
  series,
  rules,
  hasTick,
}: {
  readonly series: readonly StoredSeries[];
  readonly rules: readonly ScheduleRule[];
  readonly hasTick: boolean;
}): Verdict {
  const scheduled = series.filter(({ isScheduled }) => isScheduled).length;
  const covered = rules.map(ruleText);
  const figures = { scheduled, hasTick, rules: covered.join(', ') };
  if (scheduled + rules.length === 0) return ok('no series is scheduled', figures);
  const by = rules.length === 0 ? '' : ` (${covered.join(', ')})`;
  if (hasTick) return ok(`the hourly job of ${scheduled} scheduled series${by} is queued`, figures);
  return fail(
    `the hourly job of ${scheduled} scheduled series${by} is lost`,
    'cdvault doctor --fix, or start a worker: cdvault worker',
    figures,
  );
}

export function workers(
  counts: readonly QueueCounts[],
  connected: number | undefined,
  series: readonly StoredSeries[],
): Verdict {
  const waiting = counts.reduce((sum, one) => sum + one.waiting, 0);
  if (connected === undefined) return skipped('Redis does not list its clients', { waiting });
  const figures = { waiting, workers: connected };
  const fact = `${countText(waiting, 'job')} waiting, ${countText(connected, 'worker')}`;
  const isScheduled = series.some((one) => one.isScheduled);
  if (connected > 0 || (waiting === 0 && !isScheduled)) return ok(fact, figures);
  return warn(isScheduled ? `${fact}: the schedule stands still` : fact, 'cdvault worker', figures);
}
