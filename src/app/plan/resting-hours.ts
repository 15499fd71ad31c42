import { DAY_MS, floorTo, type TimeRange } from '../../domain/time/hour.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import { isResting } from '../../domain/plan/plan.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { GapClass, Ledger } from '../../ports/ledger.ts';

/** What somebody may bring some day, but nobody has now. A file that is only late is looked for at every tick. */
const IN_VAIN: readonly GapClass[] = [
  'missing_ids',
  'retention',
  'truncated_file',
  'unknown_neighbour',
];

export interface Patience {
  readonly files: ArchiveFiles;
  readonly nowMs: number;
}

/**
 * Hours that the schedule leaves alone for now, by what the store knows: since when they have been asked
 * for in vain, and when last.
 * @param records ledger rows of the range
 */
export async function restingHours(
  { ledger, files, nowMs }: { readonly ledger: Ledger } & Patience,
  series: Series,
  range: TimeRange,
  records: readonly SliceRecord[],
): Promise<ReadonlySet<number>> {
  const { market, symbol } = series;
  const open = await ledger.openGaps({ market, symbol }, range);
  const vain = open.filter(({ gapClass }) => IN_VAIN.includes(gapClass));
  if (vain.length === 0) return new Set();
  const fetched = new Map(records.map(({ hourMs, fetchedAtMs }) => [hourMs, fetchedAtMs]));
  const looked = new Map<number, number>();
  for (const { dayMs, seenAtMs } of await files.records({ market, symbol }, range))
    looked.set(dayMs, Math.max(seenAtMs, looked.get(dayMs) ?? 0));
  const resting = new Set<number>();
  for (const [hourMs, gaps] of Map.groupBy(vain, (gap) => gap.hourMs)) {
    const seenAtMs = Math.min(...gaps.map((gap) => gap.seenAtMs));
    const askedAtMs = Math.max(
      seenAtMs,
      fetched.get(hourMs) ?? 0,
      looked.get(floorTo(hourMs, DAY_MS)) ?? 0,
    );
    if (isResting({ seenAtMs, askedAtMs }, nowMs)) resting.add(hourMs);
  }
  return resting;
}
