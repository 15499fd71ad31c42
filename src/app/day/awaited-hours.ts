import { dailyStem } from '../../domain/archive/archive-name.ts';
import { DAY_MS, isoDay, spanOfHours, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { AWAITED, type AwaitedClass, mayComeLate } from '../../domain/plan/plan.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { Ledger, SeenGap } from '../../ports/ledger.ts';
import { whereFrom } from '../border/edge-gaps.ts';
import type { TakenDay } from './ingest-archive-day.ts';

/**
 * Puts hours on record that neither the file has proven nor REST may be asked for: what they wait for,
 * or why nobody has them. A ledger row resolves it.
 */
export async function noteAwaited(
  { ledger }: { readonly ledger: Ledger },
  series: Series,
  dayMs: number,
  hours: readonly number[],
  from: LookedIn,
  nowMs: number,
): Promise<void> {
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
  readonly file: TakenDay['file'];
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

/** Hours of one day that wait for the same. */
export interface AwaitedHours extends Series {
  readonly gapClass: AwaitedClass;
  readonly dayMs: number;
  readonly hours: number;
  readonly evidence: string;
}

/** What is on record as awaited, by day; hours with a ledger row are never among them. */
export async function awaitedHours(
  { ledger }: { readonly ledger: Ledger },
  { market, symbol }: Series,
  range: TimeRange,
): Promise<AwaitedHours[]> {
  const open = (await ledger.openGaps({ market, symbol }, range)).filter(isAwaited);
  const byDay = Map.groupBy(open, ({ hourMs, gapClass }) => `${isoDay(hourMs)} ${gapClass}`);
  return [...byDay.values()].flatMap((gaps) => {
    const [gap] = gaps;
    if (gap === undefined) return [];
    const { gapClass, evidence } = gap;
    const dayMs = Date.parse(isoDay(gap.hourMs));
    return [{ market, symbol, gapClass, dayMs, hours: gaps.length, evidence }];
  });
}

/** Starts of hours that were asked for and have no ledger row, ascending. */
export async function askedHours(
  ledger: Ledger,
  { market, symbol }: Series,
  range: TimeRange,
): Promise<number[]> {
  const open = (await ledger.openGaps({ market, symbol }, range)).filter(isAwaited);
  return [...new Set(open.map(({ hourMs }) => hourMs))];
}

/** Losses of the same class that a ledger row knows of have ids. */
function isAwaited(gap: SeenGap): gap is SeenGap & { readonly gapClass: AwaitedClass } {
  return gap.toId === 0 && AWAITED.some((awaited) => awaited === gap.gapClass);
}

/** Hours of one day on record that lack the same trade beside them. */
export interface EdgeHours extends Series {
  readonly fromMs: number;
  readonly hours: number;
  readonly evidence: string;
}

export async function edgeHours(
  { ledger }: { readonly ledger: Ledger },
  { market, symbol }: Series,
  range: TimeRange,
): Promise<EdgeHours[]> {
  const open = (await ledger.openGaps({ market, symbol }, range)).filter(
    ({ gapClass }) => gapClass === 'unknown_neighbour',
  );
  const groups = Map.groupBy(open, ({ hourMs, evidence }) => `${isoDay(hourMs)} ${evidence}`);
  return [...groups.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [
          {
            market,
            symbol,
            fromMs: first.hourMs,
            hours: 1 + others.length,
            evidence: first.evidence,
          },
        ],
  );
}
