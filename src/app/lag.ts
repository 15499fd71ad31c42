import type { SeriesCoverage } from '../ports/ledger.ts';

/** How far a scheduled series is behind: time since its newest proven hour, or since its schedule began. */
export function lagOf(
  scheduledFromMs: number,
  stored: Pick<SeriesCoverage, 'provenToMs'> | undefined,
  nowMs: number,
): number {
  return nowMs - Math.max(scheduledFromMs, stored?.provenToMs ?? scheduledFromMs);
}
