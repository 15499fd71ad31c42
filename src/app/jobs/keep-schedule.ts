import {
  compactHour,
  DAY_MS,
  floorTo,
  isoHour,
  lastClosedHourEnd,
  type TimeRange,
} from '../../domain/time/hour.ts';
import { seriesKey } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import { dueDays } from '../plan/plan-series.ts';
import { followRules, type RulesDeps } from './follow-rules.ts';

type ScheduleDeps = RulesDeps & {
  readonly files: ArchiveFiles;
  readonly queue: JobQueue;
};

/**
 * One run of the schedule: the rules are applied, and for every scheduled series a feed is enqueued from the first due day on if hours
 * or bars since the schedule's start are due. The first run after a week of downtime catches up. Two
 * schedulers, or a run that starts while the last one's work is still in progress, do no harm. Hours that no
 * source has are requested again after waits that double (isResting()).
 *
 * Nothing is remembered from run to run. The store compares all of history each time, in statements for all
 * series together; rows are read of days that it does not find settled.
 */
export async function keepSchedule(deps: ScheduleDeps, signal: AbortSignal): Promise<void> {
  await followRules(deps, signal);
  const nowMs = deps.clock.nowMs();
  const endMs = lastClosedHourEnd(nowMs);
  const scheduled = (await deps.catalogue.all()).flatMap(
    ({ scheduledFromMs: startMs, ...series }) =>
      startMs === undefined || startMs >= endMs ? [] : [{ series, range: { startMs, endMs } }],
  );
  const fromMs = Math.min(...scheduled.map(({ range }) => range.startMs));
  if (fromMs === Infinity) return;
  const settled = await settledSince(deps, fromMs, endMs);
  const broken = new Set((await deps.bars.chainBreaks()).map(seriesKey));
  for (const { series, range } of scheduled) {
    signal.throwIfAborted();
    const patience = { files: deps.files, nowMs };
    const look = { patience, settled: settled.get(seriesKey(series)) ?? [] };
    const first = await firstDueDay(deps, series, range, look);
    signal.throwIfAborted();
    if (first === undefined) {
      if (broken.has(seriesKey(series))) await deps.queue.addChain(series);
      continue;
    }
    const startMs = Math.max(range.startMs, first.dayMs);
    deps.log.info(
      { symbol: series.symbol, from: isoHour(startMs), until: isoHour(endMs) },
      'schedule: work is due',
    );
    await deps.queue.addScheduledFeed(`tick-${compactHour(endMs)}`, series, { startMs, endMs });
  }
}

async function firstDueDay(...asked: Parameters<typeof dueDays>): Promise<DayWork | undefined> {
  for await (const day of dueDays(...asked)) return day;
  return undefined;
}

/** The settled days of all series. */
async function settledSince(
  { bars }: ScheduleDeps,
  fromMs: number,
  endMs: number,
): Promise<ReadonlyMap<string, readonly TimeRange[]>> {
  const range = { startMs: floorTo(fromMs, DAY_MS), endMs: floorTo(endMs - 1, DAY_MS) + DAY_MS };
  const found = await bars.settledDays(range);
  return new Map(found.map((one) => [seriesKey(one), one.ranges]));
}
