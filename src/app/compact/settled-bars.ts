import { dayInputs, inputRange } from '../../domain/bars/day.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import { DAY_MS, daysOf, floorTo, rangesOutside, type TimeRange } from '../../domain/time/hour.ts';
import type { BarStore } from '../../ports/bar-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { BarPartitions, DayMark, Partition } from '../../ports/partitions.ts';
import type { Reason } from './convert-partitions.ts';

export interface SettledBarsDeps {
  readonly ledger: Pick<Ledger, 'records'>;
  readonly bars: Pick<BarStore, 'days' | 'settledDays'>;
  readonly partitions: { readonly bars: Pick<BarPartitions, 'marks' | 'knownDays'> };
}

interface OpenDays extends Series {
  readonly range: TimeRange;
}

/** Ledger rows are read in chunks of this length, so that memory stays bounded. */
const CHUNK_MS = 124 * DAY_MS;

/**
 * What ledger and stamps say about all days of all series, asked once for all tables of bars. The store names
 * the days on which nothing is due; rows are read only of the other days, when a partition has one.
 */
export class SettledBars {
  readonly #deps: SettledBarsDeps;
  readonly #marks: ReadonlyMap<number, DayMark>;
  /** Chunks of days that the store did not name as settled. */
  readonly #open: readonly OpenDays[];
  readonly #judged = new Map<string, Promise<ReadonlyMap<number, Reason>>>();

  /** @param range whole days */
  static async look(deps: SettledBarsDeps, range: TimeRange): Promise<SettledBars> {
    // First: what is written after it makes a difference later.
    const marks = await deps.partitions.bars.marks(range);
    const known = await deps.partitions.bars.knownDays(range);
    const settled = new Map(
      (await deps.bars.settledDays(range)).map((one) => [seriesKey(one), one.ranges]),
    );
    const open = known.flatMap(({ market, symbol, ranges }) => {
      const taken = settled.get(seriesKey({ market, symbol })) ?? [];
      return ranges
        .flatMap((one) => rangesOutside(one, taken))
        .flatMap((one) => [...chunksOf(one)])
        .map((chunk) => ({ market, symbol, range: chunk }));
    });
    return new SettledBars(deps, marks, open);
  }

  private constructor(
    deps: SettledBarsDeps,
    marks: ReadonlyMap<number, DayMark>,
    open: readonly OpenDays[],
  ) {
    this.#deps = deps;
    this.#marks = marks;
    this.#open = open;
  }

  /** @returns why the partition is not settled */
  async reasonOf(partition: Partition, beforeMs: number): Promise<Reason | undefined> {
    if (partition.isNewest) return 'newest';
    const marks = this.#marksOf(partition);
    if (marks.some(({ fetchedAtMs, builtAtMs }) => Math.max(fetchedAtMs, builtAtMs) > beforeMs))
      return 'recent';
    if (marks.some(({ isAwaited }) => isAwaited)) return 'unproven';
    const reasons = await this.#judge(partition);
    if (reasons.length > 0) return reasons.includes('unproven') ? 'unproven' : 'bars_due';
    const now = await this.#deps.partitions.bars.marks(partition);
    return this.#hasChanged(partition, now) ? 'recent' : undefined;
  }

  /** Whether a day was fetched or built between this look and another one. */
  #hasChanged(range: TimeRange, now: ReadonlyMap<number, DayMark>): boolean {
    return [...daysOf(range)].some(
      (dayMs) => this.#marks.get(dayMs)?.mark !== now.get(dayMs)?.mark,
    );
  }

  isBuiltSince(range: TimeRange, timeMs: number): boolean {
    return this.#marksOf(range).some(({ builtAtMs }) => builtAtMs > timeMs);
  }

  #marksOf(range: TimeRange): DayMark[] {
    return [...daysOf(range)].flatMap((dayMs) => this.#marks.get(dayMs) ?? []);
  }

  async #judge(partition: TimeRange): Promise<readonly Reason[]> {
    const reasons: Reason[] = [];
    for (const { market, symbol, range } of this.#open) {
      if (range.startMs >= partition.endMs || range.endMs <= partition.startMs) continue;
      const key = `${seriesKey({ market, symbol })} ${range.startMs}`;
      const judged = this.#judged.get(key) ?? dueDays(this.#deps, { market, symbol }, range);
      this.#judged.set(key, judged);
      for (const [dayMs, reason] of await judged)
        if (dayMs >= partition.startMs && dayMs < partition.endMs) reasons.push(reason);
    }
    return reasons;
  }
}

function* chunksOf({ startMs, endMs }: TimeRange): Generator<TimeRange> {
  for (let fromMs = startMs; fromMs < endMs; fromMs += CHUNK_MS)
    yield { startMs: fromMs, endMs: Math.min(endMs, fromMs + CHUNK_MS) };
}

/** Days with an hour that is open, or whose bars are not built from what the ledger has. */
async function dueDays(
  { ledger, bars }: SettledBarsDeps,
  series: Series,
  range: TimeRange,
): Promise<ReadonlyMap<number, Reason>> {
  const records = await ledger.records(series, {
    ...range,
    endMs: inputRange(range.endMs - DAY_MS).endMs,
  });
  const hours = Map.groupBy(records, ({ hourMs }) => floorTo(hourMs, DAY_MS));
  const built = new Map((await bars.days(series, range)).map((day) => [day.dayMs, day]));
  const due = new Map<number, Reason>();
  for (const dayMs of daysOf(range)) {
    const own = hours.get(dayMs) ?? [];
    const all = [...own, ...(hours.get(dayMs + DAY_MS) ?? [])];
    const inputs = dayInputs(
      dayMs,
      all.filter(({ hourMs }) => hourMs < inputRange(dayMs).endMs),
    );
    const day = built.get(dayMs);
    const isFresh = day?.inputs === inputs?.inputs && day?.isCurrent !== false;
    if (own.some((record) => verdictOf(record) === 'open')) due.set(dayMs, 'unproven');
    else if (!isFresh) due.set(dayMs, 'bars_due');
  }
  return due;
}
