import { basesAfter, type MidnightBase, midnightBases } from '../../domain/bars/chain.ts';
import type { Series } from '../../domain/market.ts';
import type { BarStore, ChainBreak } from '../../ports/bar-store.ts';

/** The year 9999: later than any day. */
const END_OF_TIME_MS = Date.UTC(9999, 0, 1);

interface DueBases {
  /** Oldest first. */
  readonly due: readonly MidnightBase[];
  /** Those that are stored at the days in question. */
  readonly stored: ReadonlyMap<number, MidnightBase>;
}

interface BasesDeps {
  readonly bars: Pick<BarStore, 'midnightBases' | 'days'>;
}

/** Midnight bases that differ from the stored ones: what a chain job has to write. */
export async function dueMidnightBases(
  { bars }: BasesDeps,
  series: Series,
  originMs: number,
): Promise<DueBases> {
  const stored = byDay((await bars.midnightBases(series)).bases);
  return { due: differing(midnightBases(originMs, await bars.days(series)), stored), stored };
}

/**
 * The same, if the first break of the chain is known. The base of the day before it is right, so only days
 * from there on are read, unless they lie before the origin.
 */
export async function dueBasesFrom(
  { bars }: BasesDeps,
  { beforeMs, ...series }: ChainBreak,
  originMs: number,
): Promise<DueBases> {
  const range = { startMs: beforeMs ?? originMs, endMs: END_OF_TIME_MS };
  const stored = byDay((await bars.midnightBases(series, range)).bases);
  const known = beforeMs === undefined ? undefined : stored.get(beforeMs);
  if (known === undefined || known.dayMs < originMs)
    return dueMidnightBases({ bars }, series, originMs);
  const days = await bars.days(series, range);
  return { due: differing(basesAfter(known, days), stored), stored };
}

function byDay(bases: readonly MidnightBase[]): ReadonlyMap<number, MidnightBase> {
  return new Map(bases.map((base) => [base.dayMs, base]));
}

function differing(
  wanted: readonly MidnightBase[],
  stored: ReadonlyMap<number, MidnightBase>,
): MidnightBase[] {
  return wanted.filter(({ dayMs, baseE8, missing }) => {
    const old = stored.get(dayMs);
    return old?.baseE8 !== baseE8 || old.missing !== missing;
  });
}
