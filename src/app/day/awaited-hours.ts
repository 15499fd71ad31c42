import type { Series } from '../../domain/market.ts';
import { AWAITED, type AwaitedClass } from '../../domain/plan/plan.ts';
import { isoDay, type TimeRange } from '../../domain/time/hour.ts';
import type { Ledger, SeenGap } from '../../ports/ledger.ts';

/** Hours of one day that are awaited for the same reason. */
export interface AwaitedHours extends Series {
  readonly gapClass: AwaitedClass;
  readonly dayMs: number;
  readonly hours: number;
  readonly evidence: string;
}

/** Awaited hours (AWAITED) on record, by day. None of them has a ledger row. */
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

/** Starts of hours that were requested and have no ledger row, ascending. */
export async function askedHours(
  ledger: Ledger,
  { market, symbol }: Series,
  range: TimeRange,
): Promise<number[]> {
  const open = (await ledger.openGaps({ market, symbol }, range)).filter(isAwaited);
  return [...new Set(open.map(({ hourMs }) => hourMs))];
}

/** Gaps of the same class that belong to a ledger row have ids; these have none. */
function isAwaited(gap: SeenGap): gap is SeenGap & { readonly gapClass: AwaitedClass } {
  return gap.toId === 0 && AWAITED.some((awaited) => awaited === gap.gapClass);
}

/** Recorded hours of one day for which the same neighbouring trade is unknown. */
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
