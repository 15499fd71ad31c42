import { DAY_MS, floorTo, type TimeRange } from '../../domain/time/hour.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import { isResting } from '../../domain/plan/plan.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { GapClass, Ledger } from '../../ports/ledger.ts';

/**
 * Classes of gaps that no source can fill at present but that may be filled later. pending_archive is not
 * among them: a file that is only late is looked for at every tick.
 */
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
 * Hours that the schedule skips for now. The store knows when each was first and last requested without
 * success.
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
