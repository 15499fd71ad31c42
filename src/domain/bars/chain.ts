/** Continuous CDV: the level at each stored midnight, counted from an origin that never moves. */

/** A day whose bars are built. */
export interface BuiltDay {
  readonly dayMs: number;
  /** Midnight, or the start of the first stored hour. */
  readonly levelFromMs: number;
  readonly deltaE8: bigint;
  /** Half-open id range of the day as far as stored. */
  readonly idStart: number;
  readonly idEnd: number;
  /** Ids missing inside that range; undefined when they can't be counted. */
  readonly missing: number | undefined;
}

export interface MidnightBase {
  readonly dayMs: number;
  /** CDV from the origin to this midnight; days before the origin count negative. */
  readonly baseE8: bigint;
  /** Ids missing between the origin and this day's first stored trade; undefined when they can't be counted. */
  readonly missing: number | undefined;
}

/**
 * The origin's base is always 0. Days after it add, days before it subtract, so adding earlier days
 * later never changes a level. A missing day between two stored ones is counted by its missing ids.
 * @param originMs the pinned midnight
 * @param days stored days, any order
 */
export function midnightBases(originMs: number, days: readonly BuiltDay[]): MidnightBase[] {
  const sorted = days.toSorted((left, right) => left.dayMs - right.dayMs);
  const from = sorted.findIndex(({ dayMs }) => dayMs >= originMs);
  const pivot = from < 0 ? sorted.length : from;
  // Ids between the origin and the first stored day can't be counted when the origin's own day is absent.
  const originStored = sorted[pivot]?.dayMs === originMs;
  return [
    ...before(sorted.slice(0, pivot), sorted[pivot], originStored),
    // While the hour that begins at the origin is not stored, the ids before the first stored one can't be counted.
    ...after(sorted.slice(pivot), {
      baseE8: 0n,
      missing: sorted[pivot]?.levelFromMs === originMs ? 0 : undefined,
    }),
  ];
}

/**
 * The bases of the days after one whose base is known.
 * @param days stored days from `known` on, oldest first; none before the origin
 */
export function basesAfter(known: MidnightBase, days: readonly BuiltDay[]): MidnightBase[] {
  return after(days, known).slice(1);
}

/** @param first base of the first of these days */
function after(
  days: readonly BuiltDay[],
  first: Pick<MidnightBase, 'baseE8' | 'missing'>,
): MidnightBase[] {
  const bases: MidnightBase[] = [];
  let { baseE8, missing } = first;
  let idEnd = days[0]?.idStart ?? 0;
  for (const day of days) {
    missing = plus(missing, Math.max(0, day.idStart - idEnd));
    bases.push({ dayMs: day.dayMs, baseE8, missing });
    baseE8 += day.deltaE8;
    missing = plus(missing, day.missing);
    idEnd = day.idEnd;
  }
  return bases;
}

function before(
  days: readonly BuiltDay[],
  pivot: BuiltDay | undefined,
  originStored: boolean,
): MidnightBase[] {
  const bases: MidnightBase[] = [];
  let baseE8 = 0n;
  let missing: number | undefined = originStored ? 0 : undefined;
  let idStart = pivot?.idStart;
  for (const day of days.toReversed()) {
    baseE8 -= day.deltaE8;
    missing = plus(plus(missing, day.missing), Math.max(0, (idStart ?? day.idEnd) - day.idEnd));
    idStart = day.idStart;
    bases.push({ dayMs: day.dayMs, baseE8, missing });
  }
  return bases.toReversed();
}

/** Adding to an unknown count yields unknown. */
function plus(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left + right;
}
