import { formatDecimal, parseDecimal, QTY_SCALE } from '../domain/decimal.ts';
import { CdvaultError } from '../domain/errors.ts';
import { DAY_MS, floorTo, type TimeRange } from '../domain/hour.ts';
import { INTERVAL_MS, type Interval } from '../domain/interval.ts';
import type { Series } from '../domain/market.ts';
import type { BarStore, ExactBar, StoredDay } from '../ports/bar-store.ts';

/**
 * Where the level is 0: `from` the start of what is shown, `day` UTC midnight as stored, `total` the
 * series' pinned origin, or an instant.
 */
export type Anchor = 'from' | 'day' | 'total' | { readonly atMs: number };

export interface ShownBar {
  readonly openMs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly delta: string;
  readonly status: 'final' | 'partial' | 'forming';
  readonly levelFromMs: number;
  /** Ids missing between the anchor and the bar; undefined when they can't be counted. */
  readonly levelMissing: number | undefined;
}

interface ShowRequest {
  readonly interval: Interval;
  readonly range: TimeRange;
  readonly anchor: Anchor;
}

/**
 * Bars of a range with their levels counted from the anchor wished for. Exact: levels are the stored
 * sums plus a constant.
 * @throws CdvaultError USAGE when a bar straddles the anchor
 */
export async function showBars(
  deps: { readonly bars: BarStore },
  series: Series,
  { interval, range, anchor }: ShowRequest,
  nowMs: number,
): Promise<ShownBar[]> {
  const anchorMs = typeof anchor === 'object' ? anchor.atMs : range.startMs;
  const needsRun = typeof anchor === 'object' || anchor === 'from';
  if (needsRun) assertNoStraddle(anchorMs, interval, range);
  const bars = await deps.bars.bars(series, interval, {
    startMs: Math.min(anchorMs, range.startMs),
    endMs: range.endMs,
  });
  const offsets = needsRun
    ? runningOffsets(bars, await daysAround(deps, series, bars))
    : await storedOffsets(deps, series, bars, anchor);
  return bars
    .map((bar, index) => shown(bar, offsets[index] ?? UNKNOWN, interval, nowMs))
    .filter(({ openMs }) => openMs >= range.startMs);
}

/** What turns a stored level into the one wished for. */
interface Offset {
  readonly e8: bigint;
  readonly levelFromMs: number;
  readonly levelMissing: number | undefined;
}

const UNKNOWN: Offset = { e8: 0n, levelFromMs: 0, levelMissing: undefined };

function assertNoStraddle(anchorMs: number, interval: Interval, range: TimeRange): void {
  const intervalMs = INTERVAL_MS[interval];
  if (anchorMs > range.startMs) {
    throw new CdvaultError('USAGE', 'the anchor lies behind the start of what is shown', {
      advice: 'Give an --anchor at or before --from.',
    });
  }
  if (anchorMs % intervalMs === 0) return;
  const legal = new Date(floorTo(anchorMs, intervalMs)).toISOString();
  throw new CdvaultError(
    'USAGE',
    `a ${interval} bar straddles ${new Date(anchorMs).toISOString()}: its high and low can't be told apart by addition`,
    {
      advice: `Start at ${legal}, or take a shorter --interval.`,
    },
  );
}

async function daysAround(
  deps: { readonly bars: BarStore },
  series: Series,
  bars: readonly ExactBar[],
): Promise<StoredDay[]> {
  const first = bars[0];
  const last = bars.at(-1);
  if (first === undefined || last === undefined) return [];
  return deps.bars.days(series, { startMs: floorTo(first.openMs, DAY_MS), endMs: last.openMs + 1 });
}

/** Levels from the first bar on: the deltas of the bars before, and the ids that are missing between them. */
function runningOffsets(bars: readonly ExactBar[], days: readonly StoredDay[]): Offset[] {
  const levelFromMs = bars[0]?.openMs ?? 0;
  let sumE8 = 0n;
  // Ids before the first bar don't matter here, unless its own edge can't be seen.
  let levelMissing = bars[0]?.levelMissing === undefined ? undefined : 0;
  let previous: ExactBar | undefined;
  return bars.map((bar) => {
    const deltaE8 = e8(bar.delta);
    if (previous !== undefined)
      levelMissing = plus(levelMissing, missingBetween(previous, bar, days));
    previous = bar;
    const offset = { e8: sumE8 + deltaE8 - e8(bar.close), levelFromMs, levelMissing };
    sumE8 += deltaE8;
    return offset;
  });
}

function missingBetween(
  previous: ExactBar,
  bar: ExactBar,
  days: readonly StoredDay[],
): number | undefined {
  const dayOf = (openMs: number) =>
    days.findIndex(({ dayMs }) => dayMs === floorTo(openMs, DAY_MS));
  const [from, to] = [dayOf(previous.openMs), dayOf(bar.openMs)];
  if (from === to) return minus(bar.levelMissing, previous.levelMissing);
  let missing = plus(minus(days[from]?.missing, previous.levelMissing), bar.levelMissing);
  for (let index = from + 1; index <= to; index += 1) {
    missing = plus(
      missing,
      Math.max(0, (days[index]?.idStart ?? 0) - (days[index - 1]?.idEnd ?? 0)),
    );
    if (index < to) missing = plus(missing, days[index]?.missing);
  }
  return missing;
}

function plus(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left + right;
}

function minus(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left - right;
}

async function storedOffsets(
  deps: { readonly bars: BarStore },
  series: Series,
  bars: readonly ExactBar[],
  anchor: 'day' | 'total',
): Promise<Offset[]> {
  if (anchor === 'day') {
    return bars.map(({ levelFromMs, levelMissing }) => ({ e8: 0n, levelFromMs, levelMissing }));
  }
  const { originMs, anchors } = await deps.bars.anchors(series);
  const byDay = new Map(anchors.map((entry) => [entry.dayMs, entry]));
  return bars.map((bar) => {
    const base = byDay.get(floorTo(bar.openMs, DAY_MS));
    if (base === undefined)
      throw new CdvaultError('USAGE', 'the continuous level of a day is not computed yet', {
        advice: 'Run the backfill again, or take --anchor day.',
      });
    // Before the origin a bar's own ids lie nearer to it than its midnight: the midnight's count may only be too high.
    const isBehind = bar.openMs >= (originMs ?? 0);
    const levelMissing = isBehind ? plus(base.missing, bar.levelMissing) : base.missing;
    return { e8: base.baseE8, levelFromMs: originMs ?? 0, levelMissing };
  });
}

function shown(bar: ExactBar, offset: Offset, interval: Interval, nowMs: number): ShownBar {
  const level = (value: string) => formatDecimal(e8(value) + offset.e8, QTY_SCALE);
  const isForming = bar.status === 'partial' && bar.openMs + INTERVAL_MS[interval] > nowMs;
  return {
    openMs: bar.openMs,
    open: level(bar.open),
    high: level(bar.high),
    low: level(bar.low),
    close: level(bar.close),
    delta: bar.delta,
    status: isForming ? 'forming' : bar.status,
    levelFromMs: offset.levelFromMs,
    levelMissing: offset.levelMissing,
  };
}

function e8(value: string): bigint {
  return parseDecimal(value, QTY_SCALE);
}
