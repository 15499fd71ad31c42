import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Verdict } from '../../src/domain/proof/ledger.ts';
import type { DayCoverage } from '../../src/domain/plan/plan.ts';

export const VERDICTS_OF_PLAN = ['proven', 'open', 'gap'] as const satisfies readonly Verdict[];

export interface CoveredHour {
  /** Hours since the start. */
  readonly index: number;
  readonly verdict: Verdict;
}

/** The coverage of the days that contain these hours, as the ledger would give it. */
export function coverageOf(
  startMs: number,
  known: readonly CoveredHour[],
  fresh: readonly boolean[],
): DayCoverage[] {
  const days = new Map<number, Map<number, Verdict>>();
  for (const { index, verdict } of known) {
    const hourMs = startMs + index * HOUR_MS;
    const dayMs = Math.floor(hourMs / DAY_MS) * DAY_MS;
    const verdicts = days.get(dayMs) ?? new Map<number, Verdict>();
    days.set(dayMs, verdicts.set(hourMs, verdict));
  }
  return [...days].map(([dayMs, verdicts], index) => ({
    dayMs,
    verdicts,
    barsFresh: fresh[index] ?? true,
  }));
}
