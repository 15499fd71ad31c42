import { compactDay, compactHour } from '../../domain/time/hour.ts';
import { type Series, seriesKey } from '../../domain/market.ts';

/**
 * Ids without ':' and not of digits only, since BullMQ refuses both. Ids of a flow contain the run: if two
 * live flows share a child, only one of them waits for it.
 */

export function sliceId(runId: string, series: Series, hourMs: number): string {
  return `${runPrefix('slice', runId)}${seriesKey(series)}-${compactHour(hourMs)}`;
}

/** @param stretch `20240101` or `20240101-20240131` */
export function archiveId(runId: string, series: Series, stretch: string): string {
  return `${runPrefix('archive', runId)}${seriesKey(series)}-${stretch}`;
}

export function barsId(runId: string, series: Series, stretch: string): string {
  return `${runPrefix('bars', runId)}${seriesKey(series)}-${stretch}`;
}

export function feedId(runId: string, series: Series): string {
  return `${runPrefix('feed', runId)}${seriesKey(series)}`;
}

/** The prefix of the ids of a run's jobs. */
export function runPrefix(kind: 'archive' | 'slice' | 'bars' | 'feed', runId: string): string {
  return `${kind}-${runId}-`;
}

/** Deduplication keys: they name the result to compute, not a job. */
export function barsDedupKey(series: Series, dayMs: number): string {
  return `bars-${seriesKey(series)}-${compactDay(dayMs)}`;
}

export function chainDedupKey(series: Series): string {
  return `chain-${seriesKey(series)}`;
}

export function scheduleDedupKey(series: Series): string {
  return `schedule-${seriesKey(series)}`;
}
