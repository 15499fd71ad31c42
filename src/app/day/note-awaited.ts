import { dailyStem } from '../../domain/archive/archive-name.ts';
import type { Series, SeriesDay } from '../../domain/market.ts';
import { type AwaitedClass, mayComeLate } from '../../domain/plan/plan.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import { DAY_MS, isoDay, spanOfHours } from '../../domain/time/hour.ts';
import type { ArchiveFileRecord } from '../../ports/archive-files.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { whereFrom } from './edge-gaps.ts';

/**
 * Puts hours on record that neither the file has proven nor REST may be asked for: what they wait for,
 * or why nobody has them. A ledger row resolves it.
 */
export async function noteAwaited(
  { ledger, clock }: { readonly ledger: Ledger; readonly clock: Clock },
  { market, symbol, dayMs }: SeriesDay,
  hours: readonly number[],
  from: LookedIn,
): Promise<void> {
  const series: Series = { market, symbol };
  const nowMs = clock.nowMs();
  const range = spanOfHours(hours);
  const known = new Set((await ledger.records(series, range)).map(({ hourMs }) => hourMs));
  const { gapClass, evidence: missing } = reasonOf(series, dayMs, from, nowMs);
  const evidence = [
    missing,
    ...(from.isForgotten ? [`the exchange’s REST does not know ${series.symbol}`] : []),
    ...(from.openEnd ? [from.openEnd] : []),
  ].join('; ');
  const gaps = hours
    .filter((hourMs) => !known.has(hourMs))
    .map((hourMs) => ({ hourMs, gapClass, fromId: 0, toId: 0, evidence }));
  await ledger.note(series, gaps, nowMs);
}

/** Where a day was looked for. */
export interface LookedIn {
  readonly file: Pick<ArchiveFileRecord, 'name' | 'verdict' | 'evidence'> | undefined;
  readonly source: SourceChoice;
  /** Whether REST does not know the symbol, which is listed no more. */
  readonly isForgotten: boolean;
  /** Why it is not known that nothing follows, where that was asked. */
  readonly openEnd?: string | undefined;
}

function reasonOf(
  series: Series,
  dayMs: number,
  { file, source }: LookedIn,
  nowMs: number,
): { readonly gapClass: AwaitedClass; readonly evidence: string } {
  const stemOf = (days: number) => dailyStem(series.symbol, dayMs + days * DAY_MS);
  if (file?.verdict === 'whole')
    return {
      gapClass: 'truncated_file',
      evidence: `${file.name} is whole, but no trade behind or before its own is known: ${stemOf(1)}.zip and ${stemOf(-1)}.zip have them, or the files nearest to it; ${whereFrom(series, source)}`,
    };
  if (file !== undefined && file.verdict !== 'absent')
    return {
      gapClass: 'truncated_file',
      evidence: `${file.name} (${file.verdict}): ${file.evidence}`,
    };
  const folder = sourceFolder(source);
  // Nothing comes into a folder by itself.
  if (folder !== undefined)
    return {
      gapClass: 'retention',
      evidence: `${folder} has no ${stemOf(0)}.zip or .csv; ${whereFrom(series, source)}`,
    };
  return mayComeLate(dayMs, nowMs)
    ? { gapClass: 'pending_archive', evidence: `the file of ${isoDay(dayMs)} is not there yet` }
    : { gapClass: 'retention', evidence: `the exchange has no file of ${isoDay(dayMs)}` };
}
