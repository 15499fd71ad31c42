import type { FlowJob } from 'bullmq';
import type { Series } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import { jobOptions, type JobPriority, parsePayload, queueName } from './catalogue.ts';
import { archiveId, barsId, sliceId } from './job-ids.ts';

/** Only market and symbol: callers may pass objects with more fields, which payloads must not have. */
export function plain({ market, symbol }: Series): Series {
  return { market, symbol };
}

/**
 * The jobs of a day: its bars job with its slice jobs, or one archive job, as children. Children use
 * `ignoreDependencyOnFailure`: without it, the bars job waits endlessly after a failed slice, and
 * `continueParentOnFailure` would run it while other slices still run.
 */
export function dayFlow(
  runId: string,
  series: Series,
  day: DayWork,
  priority: JobPriority,
): FlowJob {
  const children =
    day.fromArchive === undefined
      ? sliceJobs(runId, series, day, priority)
      : [archiveJob(runId, series, day, priority)];
  return {
    name: 'bars',
    queueName: queueName('bars', series.market),
    data: parsePayload('bars', { ...plain(series), runId, dayMs: day.dayMs }),
    opts: { ...jobOptions('bars', priority), jobId: barsId(runId, series, day.dayMs) },
    ...(children.length > 0 && { children }),
  };
}

function archiveJob(
  runId: string,
  series: Series,
  { dayMs, hours, refetch = new Set(), fromArchive, edges }: DayWork,
  priority: JobPriority,
): FlowJob {
  return {
    name: 'archive',
    queueName: queueName('archive', series.market),
    data: parsePayload('archive', {
      ...plain(series),
      runId,
      dayMs,
      hours,
      ...(refetch.size > 0 && { refetch: [...refetch] }),
      source: fromArchive,
      edges,
    }),
    opts: {
      ...jobOptions('archive', priority),
      jobId: archiveId(runId, series, dayMs),
      ignoreDependencyOnFailure: true,
    },
  };
}

function sliceJobs(runId: string, series: Series, day: DayWork, priority: JobPriority): FlowJob[] {
  return day.hours.map((hourMs) => ({
    name: 'slice',
    queueName: queueName('slice', series.market),
    data: parsePayload('slice', {
      ...plain(series),
      runId,
      hourMs,
      ...(day.refetch?.has(hourMs) === true && { refetch: true }),
    }),
    opts: {
      ...jobOptions('slice', priority),
      jobId: sliceId(runId, series, hourMs),
      ignoreDependencyOnFailure: true,
    },
  }));
}
