import { type MidnightBase, midnightBases } from '../../domain/bars/chain.ts';
import type { Series } from '../../domain/market.ts';
import type { BarStore } from '../../ports/bar-store.ts';

/** Midnight bases that differ from the stored ones: what a chain job has to write. */
export async function dueMidnightBases(
  deps: { readonly bars: Pick<BarStore, 'midnightBases' | 'days'> },
  series: Series,
  originMs: number,
): Promise<{ readonly due: MidnightBase[]; readonly stored: ReadonlyMap<number, MidnightBase> }> {
  const stored = new Map(
    (await deps.bars.midnightBases(series)).bases.map((base) => [base.dayMs, base]),
  );
  const wanted = midnightBases(originMs, await deps.bars.days(series));
  const due = wanted.filter((base) => {
    const old = stored.get(base.dayMs);
    return old?.baseE8 !== base.baseE8 || old.missing !== base.missing;
  });
  return { due, stored };
}
