import { dayInputs, holdsReach, inputRange, isBuiltFrom } from '../../domain/bars/day.ts';
import {
  DAY_MS,
  daysOf,
  floorTo,
  HOUR_MS,
  rangesOutside,
  type TimeRange,
} from '../../domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import { type DayCoverage, type DayWork, planWork } from '../../domain/plan/plan.ts';
import type { BarStore } from '../../ports/bar-store.ts';
import type { Ledger, SeriesCatalogue } from '../../ports/ledger.ts';
import { dueBasesFrom } from '../bars/midnight-bases.ts';
import { type Patience, restingHours } from './resting-hours.ts';

/** Ledger rows are read in chunks of this length, so that memory stays bounded for any range. */
const CHUNK_MS = 124 * DAY_MS;

/** A look at a series. */
interface Look {
  /** Given by the schedule, which skips resting hours; without it all unproven hours are due. */
  readonly patience?: Patience | undefined;
  /** Settled days of the range, if they are known already. */
  readonly settled?: readonly TimeRange[] | undefined;
}

export interface PlanDeps {
  readonly ledger: Ledger;
  readonly bars: BarStore;
  readonly catalogue: SeriesCatalogue;
}

/**
 * The due work of a range, day by day, oldest first: wanted hours − proven hours, and days whose bars are
 * older than their hours. It reads the store only, not the queue; of settled days it reads no rows.
 * @param range whole hours
 */
export async function* dueDays(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
  { patience, settled }: Look = {},
): AsyncGenerator<DayWork> {
  for (const chunk of chunksOf(range, settled ?? (await settledOf(deps, series, range))))
    yield* planWork(chunk, await coverageOf(deps, series, chunk, patience));
}

async function settledOf(
  { bars }: Pick<PlanDeps, 'bars'>,
  { market, symbol }: Series,
  range: TimeRange,
): Promise<readonly TimeRange[]> {
  const [found] = await bars.settledDays(wholeDays(range), { market, symbol });
  return found?.ranges ?? [];
}

function* chunksOf(range: TimeRange, settled: readonly TimeRange[]): Generator<TimeRange> {
  for (const open of rangesOutside(range, settled)) yield* cut(open);
}

function* cut(range: TimeRange): Generator<TimeRange> {
  for (
    let startMs = range.startMs;
    startMs < range.endMs;
    startMs = floorTo(startMs, DAY_MS) + CHUNK_MS
  )
    yield { startMs, endMs: Math.min(range.endMs, floorTo(startMs, DAY_MS) + CHUNK_MS) };
}

/**
 * Days whose bars are out of date for hours of exactly this range. Another run may be adding other hours
 * to the same days; that run builds their bars.
 */
export async function* daysBehind(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): AsyncGenerator<number> {
  for (const chunk of chunksOf(range, await settledOf(deps, series, range))) {
    const { startMs, endMs } = chunk;
    const built = await builtDays(deps, series, { startMs: startMs - DAY_MS, endMs });
    const builtFrom = (hourMs: number) => built.get(floorTo(hourMs, DAY_MS)) ?? '';
    const behind = new Set<number>();
    for (const record of await deps.ledger.records(series, chunk)) {
      const { hourMs } = record;
      if (!isBuiltFrom(builtFrom(hourMs), record)) behind.add(floorTo(hourMs, DAY_MS));
      const beforeMs = hourMs - HOUR_MS;
      const isFirst = hourMs % DAY_MS === 0;
      if (isFirst && !holdsReach(builtFrom(beforeMs), record))
        behind.add(floorTo(beforeMs, DAY_MS));
    }
    yield* behind;
  }
}

export async function areBarsBehind(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<boolean> {
  for await (const _ of daysBehind(deps, series, range)) return true;
  return false;
}

/** Whether the continuous levels of a range's days differ from the sums of the days up to them. */
export async function areLevelsBehind(
  deps: Pick<PlanDeps, 'bars' | 'catalogue'>,
  series: Series,
  range: TimeRange,
): Promise<boolean> {
  const facts = await deps.catalogue.find(series);
  const [broken] = await deps.bars.chainBreaks(series);
  if (facts === undefined || broken === undefined) return false;
  // Bases after a break may be right all the same.
  const { due } = await dueBasesFrom(deps, broken, facts.originMs);
  const { startMs, endMs } = wholeDays(range);
  return due.some(({ dayMs }) => dayMs >= startMs && dayMs < endMs);
}

function wholeDays(range: TimeRange): TimeRange {
  return { startMs: floorTo(range.startMs, DAY_MS), endMs: -floorTo(-range.endMs, DAY_MS) };
}

/** What each stored day's bars were computed from. Days with bars of another shape or other tiers are left out. */
async function builtDays(
  deps: Pick<PlanDeps, 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<ReadonlyMap<number, string>> {
  const days = await deps.bars.days(series, wholeDays(range));
  return new Map(
    days.filter(({ isCurrent }) => isCurrent).map(({ dayMs, inputs }) => [dayMs, inputs]),
  );
}

async function coverageOf(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
  patience: Patience | undefined,
): Promise<DayCoverage[]> {
  // Bars belong to whole days, so hours outside the range also decide whether they are fresh.
  const days = wholeDays(range);
  const all = await deps.ledger.records(series, {
    ...days,
    endMs: inputRange(days.endMs - DAY_MS).endMs,
  });
  const records = Map.groupBy(all, ({ hourMs }) => floorTo(hourMs, DAY_MS));
  const built = await builtDays(deps, series, days);
  const resting =
    patience === undefined
      ? new Set<number>()
      : await restingHours({ ledger: deps.ledger, ...patience }, series, days, all);
  return [...daysOf(days)].map((dayMs) => {
    const next = (records.get(dayMs + DAY_MS) ?? []).filter(
      ({ hourMs }) => hourMs < inputRange(dayMs).endMs,
    );
    return {
      ...dayCoverage(dayMs, records.get(dayMs) ?? [], next, built.get(dayMs)),
      resting,
    };
  });
}

function dayCoverage(
  dayMs: number,
  records: readonly SliceRecord[],
  next: readonly SliceRecord[],
  builtFrom: string | undefined,
): DayCoverage {
  return {
    dayMs,
    verdicts: new Map(records.map((record) => [record.hourMs, verdictOf(record)])),
    barsFresh: dayInputs(dayMs, [...records, ...next])?.inputs === builtFrom,
  };
}

export interface PlanOptions {
  /** Called with each day of work. */
  readonly onDay?: (day: DayWork) => void;
}

export interface SeriesPlan extends Series {
  readonly wantedHours: number;
  readonly dueHours: number;
  /** Days of which only the bars are due. */
  readonly dueBarDays: number;
  readonly chainDue: boolean;
}

/** Counts the due work of a range. It does not ask the exchange. */
export async function planSeries(
  deps: PlanDeps,
  series: Series,
  range: TimeRange,
  { onDay }: PlanOptions = {},
): Promise<SeriesPlan> {
  let dueHours = 0;
  let dueBarDays = 0;
  for await (const day of dueDays(deps, series, range)) {
    dueHours += day.hours.length;
    if (day.hours.length === 0) dueBarDays += 1;
    onDay?.(day);
  }
  const { market, symbol } = series;
  return {
    market,
    symbol,
    wantedHours: (range.endMs - range.startMs) / HOUR_MS,
    dueHours,
    dueBarDays,
    chainDue: (await deps.bars.chainBreaks(series)).length > 0,
  };
}

export function isDue(plan: SeriesPlan): boolean {
  return plan.dueHours > 0 || plan.dueBarDays > 0 || plan.chainDue;
}
