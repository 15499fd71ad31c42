import type { FlowJob } from 'bullmq';
import type { Series } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import { compactDay } from '../../domain/time/hour.ts';
import { jobOptions, parsePayload, queueName } from './catalogue.ts';
import { archiveId, barsId, sliceId } from './job-ids.ts';

/** Only market and symbol: callers may pass objects with more fields, which payloads must not have. */
export function plain({ market, symbol }: Series): Series {
  return { market, symbol };
}

/** Days that one flow works on: those of a stretch, or a single day. */
export interface FlowDays {
  readonly name: string;
  readonly days: readonly DayWork[];
}

/** The flows of some days, in their order. */
export function flowsOf(days: readonly DayWork[]): FlowDays[] {
  const byName = Map.groupBy(days, ({ dayMs, stretch }) => stretch ?? compactDay(dayMs));
  return [...byName].map(([name, ofFlow]) => ({ name, days: ofFlow }));
}

/**
 * The jobs of a flow: the bars job with its slice jobs, or one archive job, as children. Children use
 * `ignoreDependencyOnFailure`: without it, the bars job waits endlessly after a failed slice, and
 * `continueParentOnFailure` would run it while other slices still run.
 */
export function stretchFlow(
  runId: string,
  series: Series,
  { name, days }: FlowDays,
  priority: number,
): FlowJob {
  const source = days[0]?.fromArchive;
  const children =
    source === undefined
      ? days.flatMap((day) => sliceJobs(runId, series, day, priority))
      : [archiveJob(runId, series, { name, days }, priority)];
  return {
    name: 'bars',
    queueName: queueName('bars', series.market),
    data: parsePayload('bars', { ...plain(series), runId, days: days.map(({ dayMs }) => dayMs) }),
    opts: { ...jobOptions('bars', priority), jobId: barsId(runId, series, name) },
    ...(children.length > 0 && { children }),
  };
}

function archiveJob(
  runId: string,
  series: Series,
  { name, days }: FlowDays,
  priority: number,
): FlowJob {
  return {
    name: 'archive',
    queueName: queueName('archive', series.market),
    data: parsePayload('archive', {
      ...plain(series),
      runId,
      stretch: name,
      days: days.map(({ dayMs, hours, refetch = new Set(), edges }) => ({
        dayMs,
        hours,
        ...(refetch.size > 0 && { refetch: [...refetch] }),
        edges,
      })),
      source: days[0]?.fromArchive,
    }),
    opts: {
      ...jobOptions('archive', priority),
      jobId: archiveId(runId, series, name),
      ignoreDependencyOnFailure: true,
    },
  };
}

function sliceJobs(runId: string, series: Series, day: DayWork, priority: number): FlowJob[] {
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
