import type { AggTrade } from '../domain/agg-trade.ts';
import { dayInputs, isBuiltFrom } from '../domain/day.ts';
import { CdvaultError } from '../domain/errors.ts';
import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from '../domain/hour.ts';
import { type SliceRecord, verdictOf } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import { type DayCoverage, type DayWork, planWork } from '../domain/plan.ts';
import type { BarStore } from '../ports/bar-store.ts';
import type { Ledger, SeriesCatalogue } from '../ports/ledger.ts';
import type { TradeSource } from '../ports/trade-source.ts';
import { dueAnchors } from './chain-days.ts';

/** Ledger rows are read in pieces of this length, so that memory stays bounded whatever the range. */
const CHUNK_MS = 31 * DAY_MS;

/** A page of trades and the probe for the first id of an hour cost this much weight each. */
const REQUEST_WEIGHT = 4;

/** Measured on the real day with its bars: trades 58 bytes in the store, 65 with bars and ledger. */
const BYTES_PER_TRADE = 65;

export interface PlanDeps {
  readonly ledger: Ledger;
  readonly bars: BarStore;
  readonly catalogue: SeriesCatalogue;
}

/**
 * What a range lacks, day by day, oldest first: wanted hours − proven hours, and days whose bars are
 * older than their hours. All from the store; the queue is not asked.
 * @param range whole hours
 */
export async function* dueDays(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): AsyncGenerator<DayWork> {
  for (const chunk of chunksOf(range))
    yield* planWork(chunk, await coverageOf(deps, series, chunk));
}

function* chunksOf(range: TimeRange): Generator<TimeRange> {
  for (
    let startMs = range.startMs;
    startMs < range.endMs;
    startMs = floorTo(startMs, DAY_MS) + CHUNK_MS
  )
    yield { startMs, endMs: Math.min(range.endMs, floorTo(startMs, DAY_MS) + CHUNK_MS) };
}

/**
 * Whether bars lack what the ledger knows of exactly these hours. Another run may be adding hours to
 * the same days: their bars are its own to build.
 */
export async function areBarsBehind(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<boolean> {
  for (const chunk of chunksOf(range)) {
    const built = await builtDays(deps, series, chunk);
    const isBehind = (record: SliceRecord) =>
      !isBuiltFrom(built.get(floorTo(record.hourMs, DAY_MS)) ?? '', record);
    if ((await deps.ledger.records(series, chunk)).some(isBehind)) return true;
  }
  return false;
}

/** Whether the continuous levels of a range's days are not the sums of the days up to them. */
export async function areLevelsBehind(
  deps: Pick<PlanDeps, 'bars' | 'catalogue'>,
  series: Series,
  range: TimeRange,
): Promise<boolean> {
  const facts = await deps.catalogue.find(series);
  if (facts === undefined) return false;
  const { due } = await dueAnchors(deps, series, facts.originMs);
  const { startMs, endMs } = wholeDays(range);
  return due.some(({ dayMs }) => dayMs >= startMs && dayMs < endMs);
}

function wholeDays(range: TimeRange): TimeRange {
  return { startMs: floorTo(range.startMs, DAY_MS), endMs: -floorTo(-range.endMs, DAY_MS) };
}

/** What each stored day's bars were computed from. */
async function builtDays(
  deps: Pick<PlanDeps, 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<ReadonlyMap<number, string>> {
  const days = await deps.bars.days(series, wholeDays(range));
  return new Map(days.map(({ dayMs, inputs }) => [dayMs, inputs]));
}

async function coverageOf(
  deps: Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<DayCoverage[]> {
  // Bars belong to whole days, so hours beyond the wanted ones count for their freshness.
  const days = wholeDays(range);
  const records = Map.groupBy(await deps.ledger.records(series, days), ({ hourMs }) =>
    floorTo(hourMs, DAY_MS),
  );
  const built = await builtDays(deps, series, days);
  return [...daysOf(days)].map((dayMs) =>
    dayCoverage(dayMs, records.get(dayMs) ?? [], built.get(dayMs)),
  );
}

function dayCoverage(
  dayMs: number,
  records: readonly SliceRecord[],
  builtFrom: string | undefined,
): DayCoverage {
  return {
    dayMs,
    verdicts: new Map(records.map((record) => [record.hourMs, verdictOf(record)])),
    barsFresh: dayInputs(dayMs, records)?.inputs === builtFrom,
  };
}

export interface SeriesPlan extends Series {
  readonly wantedHours: number;
  readonly dueHours: number;
  /** Days whose bars alone are due. */
  readonly dueBarDays: number;
  readonly chainDue: boolean;
}

/** Counts what a range lacks; asks the exchange nothing. */
export async function planSeries(
  deps: PlanDeps,
  series: Series,
  range: TimeRange,
): Promise<SeriesPlan> {
  let dueHours = 0;
  let dueBarDays = 0;
  for await (const { hours } of dueDays(deps, series, range)) {
    dueHours += hours.length;
    if (hours.length === 0) dueBarDays += 1;
  }
  const facts = await deps.catalogue.find(series);
  const chainDue =
    facts !== undefined && (await dueAnchors(deps, series, facts.originMs)).due.length > 0;
  const { market, symbol } = series;
  return {
    market,
    symbol,
    wantedHours: (range.endMs - range.startMs) / HOUR_MS,
    dueHours,
    dueBarDays,
    chainDue,
  };
}

export function isDue(plan: SeriesPlan): boolean {
  return plan.dueHours > 0 || plan.dueBarDays > 0 || plan.chainDue;
}

/** What the due hours will cost. */
export interface Estimate {
  readonly rows: number;
  readonly requests: number;
  readonly weight: number;
  readonly bytes: number;
}

/**
 * Two small requests find the ids at both ends of the range: their distance is the exact number of
 * rows of the whole range, of which the due hours take their share by time.
 */
export async function estimate(
  source: TradeSource,
  plan: SeriesPlan,
  range: TimeRange,
  signal: AbortSignal,
): Promise<Estimate> {
  if (plan.dueHours === 0) return { rows: 0, requests: 0, weight: 0, bytes: 0 };
  const first = await firstTrade(source, plan, range, signal);
  if (first === undefined)
    return {
      rows: 0,
      requests: 2 * plan.dueHours,
      weight: 2 * plan.dueHours * REQUEST_WEIGHT,
      bytes: 0,
    };
  const behind = await source.firstAtOrAfter(plan, range.endMs, 'ms', signal);
  const endId = behind?.aggId ?? ((await source.newest(plan, signal))?.aggId ?? first.aggId) + 1;
  const rangeRows = Math.max(0, endId - first.aggId);
  const rows = Math.round((rangeRows * plan.dueHours) / plan.wantedHours);
  const requests = Math.ceil(rows / source.pageRows) + 2 * plan.dueHours;
  return { rows, requests, weight: requests * REQUEST_WEIGHT, bytes: rows * BYTES_PER_TRADE };
}

/** undefined also where the exchange has forgotten a symbol that the ledger knows. */
async function firstTrade(
  source: TradeSource,
  series: Series,
  { startMs }: TimeRange,
  signal: AbortSignal,
): Promise<AggTrade | undefined> {
  try {
    return await source.firstAtOrAfter(series, startMs, 'ms', signal);
  } catch (error) {
    if (error instanceof CdvaultError && error.code === 'UNKNOWN_SYMBOL') return undefined;
    throw error;
  }
}
