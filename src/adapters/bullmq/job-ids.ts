import { compactHour } from '../../domain/time/hour.ts';
import { type Series, seriesKey } from '../../domain/market.ts';

/**
 * Ids that hold no ':' and are not all digits, both of which BullMQ refuses. Those of a flow are
 * scoped by the run: a child shared by two live flows is waited for by one of them only.
 */

export function sliceId(runId: string, series: Series, hourMs: number): string {
  return `${runPrefix('slice', runId)}${seriesKey(series)}-${compactHour(hourMs)}`;
}

export function archiveId(runId: string, series: Series, dayMs: number): string {
  return `${runPrefix('archive', runId)}${seriesKey(series)}-${compactDay(dayMs)}`;
}

export function barsId(runId: string, series: Series, dayMs: number): string {
  return `${runPrefix('bars', runId)}${seriesKey(series)}-${compactDay(dayMs)}`;
}

export function feedId(runId: string, series: Series): string {
  return `${runPrefix('feed', runId)}${seriesKey(series)}`;
}

/** What the ids of a run's jobs begin with. */
export function runPrefix(kind: 'archive' | 'slice' | 'bars' | 'feed', runId: string): string {
  return `${kind}-${runId}-`;
}

/** Deduplication keys: they name what is to be computed, not a job. */
export function barsDedupKey(series: Series, dayMs: number): string {
  return `bars-${seriesKey(series)}-${compactDay(dayMs)}`;
}

export function chainDedupKey(series: Series): string {
  return `chain-${seriesKey(series)}`;
}

function compactDay(dayMs: number): string {
  return compactHour(dayMs).slice(0, 8);
}

export function scheduleDedupKey(series: Series): string {
  return `schedule-${seriesKey(series)}`;
}
