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
 * Records, as gaps, hours that the file did not prove and REST may not be asked for: what they wait for,
 * or why no source has them. A ledger row of the hour resolves the gap.
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

/** The sources in which a day was looked for. */
export interface LookedIn {
  readonly file: Pick<ArchiveFileRecord, 'name' | 'verdict' | 'evidence'> | undefined;
  readonly source: SourceChoice;
  /** Whether REST no longer knows the symbol because it is not listed any more. */
  readonly isForgotten: boolean;
  /** Why it is unknown whether a trade follows; set only if that was checked. */
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
      evidence: `${file.name} is whole, but the trade before its first or after its last is unknown: it is in ${stemOf(-1)}.zip or ${stemOf(1)}.zip, or in the nearest file; ${whereFrom(series, source)}`,
    };
  if (file !== undefined && file.verdict !== 'absent')
    return {
      gapClass: 'truncated_file',
      evidence: `${file.name} (${file.verdict}): ${file.evidence}`,
    };
  const folder = sourceFolder(source);
  // No file appears in a folder by itself, so the class is never pending_archive.
  if (folder !== undefined)
    return {
      gapClass: 'retention',
      evidence: `${folder} has no ${stemOf(0)}.zip or .csv; ${whereFrom(series, source)}`,
    };
  return mayComeLate(dayMs, nowMs)
    ? { gapClass: 'pending_archive', evidence: `the file of ${isoDay(dayMs)} is not published yet` }
    : { gapClass: 'retention', evidence: `the exchange has no file of ${isoDay(dayMs)}` };
}
