import type { Anchor } from '../../domain/bars/anchor.ts';
import { type LevelBar, mergeLevels, openAtPrevious } from '../../domain/bars/bar.ts';
import { startsIn } from '../../domain/bars/bar-grid.ts';
import { type BarsPlan, planBars } from '../../domain/bars/bar-plan.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import { countedFrom, type LevelOffset, movedBy } from '../../domain/bars/level-sums.ts';
import { type LevelTrust, LevelTrusts } from '../../domain/bars/level-trust.ts';
import type { Series } from '../../domain/market.ts';
import type { BarSizes, ExactBar, StoredBars } from '../../ports/bar-store.ts';
import type { ShownBar, ShowRequest } from '../../ports/chart-data.ts';
import { sizesOf } from './bar-sizes.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { TimeZones } from '../../ports/time-zones.ts';

export interface ShownBars {
  readonly bars: readonly ShownBar[];
  /** Starts of all requested bars, stored or not. */
  readonly starts: readonly number[];
}

export interface ShowDeps {
  readonly bars: Pick<StoredBars, 'bars' | 'days' | 'midnightBases'>;
  readonly ledger: Pick<Ledger, 'records'>;
  readonly zones: TimeZones;
}

/**
 * Bars of a range with levels that count from the requested anchor. They are exact: stored bars are added
 * up, and their levels are shifted by a constant.
 * @throws CdvaultError USAGE when a bar straddles the anchor
 */
export async function showBars(
  deps: ShowDeps,
  series: Series,
  request: ShowRequest,
  nowMs: number,
): Promise<ShownBars> {
  const { range, anchor, open } = request;
  const plan = planBars(request, deps.zones.clockTime);
  const exact = await deps.bars.bars(series, plan.stored, plan.read);
  const starts = [...startsIn(plan.grid, range)];
  if (isAsStored(request, plan))
    return { bars: asStored(exact, range, request.lengthMs, nowMs), starts };
  const stored = exact.map(toStored);
  const levels = await levelsOf(deps, series, stored, { anchor, plan });
  const bars: ShownBar[] = [];
  for (const [openMs, parts] of Map.groupBy(stored, (bar) => plan.grid.startOf(bar.openMs))) {
    if (openMs < range.startMs) continue;
    const endMs = plan.grid.endOf(openMs);
    const level = parts
      .map((part): LevelBar => movedBy(part, levels.offsetE8(part, openMs)))
      .reduce(mergeLevels);
    bars.push({
      openMs,
      endMs,
      ...levelTexts(open === 'first' ? level : openAtPrevious(level)),
      ...sizesOf(parts.map(({ sizes }) => sizes)),
      status: statusOf(parts, endMs, (endMs - openMs) / INTERVAL_MS[plan.stored], nowMs),
      ...levels.trust(parts, openMs, endMs),
    });
  }
  return { bars, starts };
}

/** Whether the bars are stored as they are asked for. */
export function isAsStored({ anchor, lengthMs, open }: ShowRequest, { stored }: BarsPlan): boolean {
  return anchor.kind === 'day' && lengthMs === INTERVAL_MS[stored] && open === 'first';
}

/** Bars that are stored as they are asked for. Reading their digits would take three times as long. */
function asStored(
  bars: readonly ExactBar[],
  { startMs }: TimeRange,
  lengthMs: number,
  nowMs: number,
): ShownBar[] {
  return bars
    .filter(({ openMs }) => openMs >= startMs)
    .map(({ buyAggTrades: _buyAggTrades, buyTrades: _buyTrades, ...bar }) => {
      const endMs = bar.openMs + lengthMs;
      return { ...bar, endMs, status: statusOf([bar], endMs, 1, nowMs) };
    });
}

/** The fields of a stored bar that are needed here. */
interface StoredBar extends LevelBar, LevelTrust {
  readonly status: ExactBar['status'];
  readonly sizes: BarSizes;
}

/** How to compute levels that count from an anchor. */
interface Levels {
  readonly offsetE8: LevelOffset;
  /** The trust in the level of the bar `[startMs, endMs)`, which consists of `parts` (at least one). */
  readonly trust: (parts: readonly StoredBar[], startMs: number, endMs: number) => LevelTrust;
}

async function levelsOf(
  deps: ShowDeps,
  series: Series,
  stored: readonly StoredBar[],
  { anchor, plan }: { readonly anchor: Anchor; readonly plan: BarsPlan },
): Promise<Levels> {
  if (anchor.kind === 'day') return DAY_LEVELS;
  if (anchor.kind === 'total') return totalLevels(deps, series);
  return {
    offsetE8: countedFrom(stored, plan.levelStartOf),
    trust: await countedTrust(deps, series, plan),
  };
}

/** Levels as stored: they count from midnight. */
const DAY_LEVELS: Levels = {
  offsetE8: () => 0n,
  trust: (parts) => ({
    levelFromMs: Math.min(...parts.map(({ levelFromMs }) => levelFromMs)),
    levelMissing: greatest(parts.map(({ levelMissing }) => levelMissing)),
  }),
};

async function totalLevels(deps: ShowDeps, series: Series): Promise<Levels> {
  const { originMs = 0, bases } = await deps.bars.midnightBases(series);
  const byDay = new Map(bases.map((entry) => [entry.dayMs, entry]));
  const baseOf = ({ openMs }: LevelBar) => {
    const base = byDay.get(floorTo(openMs, DAY_MS));
    if (base !== undefined) return base;
    throw new CdvaultError('USAGE', 'the continuous level of a day is not computed yet', {
      advice: 'Run the backfill again, or use --anchor day.',
    });
  };
  // Before the origin, a bar's ids lie closer to the origin than its midnight, so the midnight's count includes them: it can only be too high.
  const missingUpTo = (bar: StoredBar) => {
    const { missing } = baseOf(bar);
    if (bar.openMs < originMs || missing === undefined) return missing;
    return bar.levelMissing === undefined ? undefined : missing + bar.levelMissing;
  };
  return {
    offsetE8: (bar) => baseOf(bar).baseE8,
    trust: (parts) => ({ levelFromMs: originMs, levelMissing: greatest(parts.map(missingUpTo)) }),
  };
}

/** Counts the ids missing since any instant from the ledger. */
async function countedTrust(
  deps: ShowDeps,
  series: Series,
  { read, levelStartOf }: BarsPlan,
): Promise<Levels['trust']> {
  const hours = { ...read, startMs: floorTo(read.startMs, HOUR_MS) };
  const days = { ...read, startMs: floorTo(read.startMs, DAY_MS) };
  const trusts = new LevelTrusts(
    await deps.ledger.records(series, hours),
    await deps.bars.days(series, days),
  );
  return (_, startMs, endMs) => trusts.between(levelStartOf(startMs), endMs);
}

function greatest(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === counts.length ? Math.max(...known) : undefined;
}

function toStored(bar: ExactBar): StoredBar {
  const { openMs, aggTrades, status, levelFromMs, levelMissing } = bar;
  return {
    openMs,
    open: e8(bar.open),
    high: e8(bar.high),
    low: e8(bar.low),
    close: e8(bar.close),
    delta: e8(bar.delta),
    aggTrades,
    status,
    levelFromMs,
    levelMissing,
    sizes: bar,
  };
}

/** `final` when every part exists and is final: proven hours have all their bars. */
export function statusOf(
  parts: readonly Pick<StoredBar, 'status'>[],
  endMs: number,
  wanted: number,
  nowMs: number,
): ShownBar['status'] {
  if (parts.length === wanted && parts.every(({ status }) => status === 'final')) return 'final';
  return endMs > nowMs ? 'forming' : 'partial';
}

function levelTexts({ open, high, low, close, delta }: LevelBar) {
  const text = (units: bigint) => formatDecimal(units, QTY_SCALE);
  return {
    open: text(open),
    high: text(high),
    low: text(low),
    close: text(close),
    delta: text(delta),
  };
}

function e8(value: string): bigint {
  return parseDecimal(value, QTY_SCALE);
}
