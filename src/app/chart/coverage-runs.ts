import { HOUR_MS, hoursOf, type TimeRange } from '../../domain/time/hour.ts';
import type { CoverageRun, JudgedHour } from '../../ports/chart-data.ts';

/**
 * Runs of hours with one verdict, oldest first. Each gap is one hour, since each has missing ids of its own.
 * @param hours of the ledger; those of the range without a row are unknown
 * @param range whole hours
 */
export function coverageRuns(hours: readonly JudgedHour[], range: TimeRange): CoverageRun[] {
  const byHour = new Map(hours.map((hour) => [hour.hourMs, hour]));
  const runs: CoverageRun[] = [];
  for (const hourMs of hoursOf(range)) {
    const { verdict = 'unknown', missing } = byHour.get(hourMs) ?? {};
    const last = runs.at(-1);
    const endMs = hourMs + HOUR_MS;
    if (last === undefined || last.verdict !== verdict || verdict === 'gap')
      runs.push({ startMs: hourMs, endMs, verdict, missing });
    else runs[runs.length - 1] = { ...last, endMs };
  }
  return runs;
}
