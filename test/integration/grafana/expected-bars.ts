import { parseDecimal } from '../../../src/domain/trade/decimal.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../../../src/domain/time/hour.ts';
import type { FilledHour } from '../../support/filled-series.ts';
import { beginOf } from './sessions.ts';

/** What a dashboard must draw, computed from the trades without bars, anchors or SQL. */

export interface ExpectedBar {
  readonly openMs: number;
  /** undefined where the bar is unknown. */
  readonly levels: readonly [open: number, high: number, low: number, close: number] | undefined;
  readonly delta: number | undefined;
}

export interface Grid {
  readonly stepMs: number;
  readonly anchor: 'visible' | 'day' | 'session' | 'continuous';
  readonly zone: string;
  readonly start: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** The instant at which continuous CDV is 0. */
  readonly originMs: number;
}

export interface Level {
  readonly timeMs: number;
  /** CDV after the trade, counted from the first stored trade, in units of 1e-8. */
  readonly afterE8: bigint;
}

/** Bars that begin inside the range, from the first to the last known one; bars in between may be unknown. */
export function expectedBars(
  { hours, levels }: { readonly hours: readonly FilledHour[]; readonly levels: readonly Level[] },
  grid: Grid,
): ExpectedBar[] {
  const firstKnownMs = new Map<number, number>();
  const bars = [...barsOfRange(grid)].map(([openMs, endMs]) => {
    if (!hours.some((hour) => isKnownIn(hour, openMs, endMs))) return unknownBar(openMs);
    const anchorMs = anchorOf(openMs, grid);
    if (!firstKnownMs.has(anchorMs)) firstKnownMs.set(anchorMs, openMs);
    const zeroMs = grid.anchor === 'visible' ? firstKnownMs.get(anchorMs) : anchorMs;
    return barOf(levels, openMs, endMs, before(levels, zeroMs ?? openMs));
  });
  return trimmed(bars);
}

function isKnownIn({ hourMs, fate, trades }: FilledHour, openMs: number, endMs: number): boolean {
  if (hourMs >= endMs || hourMs + HOUR_MS <= openMs || fate === 'absent') return false;
  // Only a proven hour shows that there were no trades.
  if (fate === 'proven') return true;
  return trades.some(({ timeUs }) => timeUs / 1000 >= openMs && timeUs / 1000 < endMs);
}

export function levelsOf(hours: readonly FilledHour[]): Level[] {
  let afterE8 = 0n;
  const trades = hours.flatMap((hour) => hour.trades);
  return trades.map(({ timeUs, qty, isBuyerMaker }) => {
    const units = parseDecimal(qty, 8);
    afterE8 += isBuyerMaker ? -units : units;
    return { timeMs: timeUs / 1000, afterE8 };
  });
}

/** CDV before the first trade at or after an instant, in units of 1e-8. */
function before(levels: readonly Level[], timeMs: number): bigint {
  return levels[firstAt(levels, timeMs) - 1]?.afterE8 ?? 0n;
}

function firstAt(levels: readonly Level[], timeMs: number): number {
  let [low, high] = [0, levels.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((levels[middle]?.timeMs ?? 0) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function barOf(
  levels: readonly Level[],
  openMs: number,
  endMs: number,
  zeroE8: bigint,
): ExpectedBar {
  const own = levels.slice(firstAt(levels, openMs), firstAt(levels, endMs));
  const open = before(levels, openMs);
  const points = own.length === 0 ? [open] : own.map(({ afterE8 }) => afterE8);
  const close = points.at(-1) ?? open;
  const high = points.reduce((most, point) => (point > most ? point : most));
  const low = points.reduce((least, point) => (point < least ? point : least));
  const level = (e8: bigint): number => Number(e8 - zeroE8) / 1e8;
  return {
    openMs,
    levels: [level(points[0] ?? open), level(high), level(low), level(close)],
    delta: Number(close - open) / 1e8,
  };
}

const unknownBar = (openMs: number): ExpectedBar => ({
  openMs,
  levels: undefined,
  delta: undefined,
});

function trimmed(bars: ExpectedBar[]): ExpectedBar[] {
  const isKnown = ({ levels }: ExpectedBar): boolean => levels !== undefined;
  return bars.slice(bars.findIndex(isKnown), bars.findLastIndex(isKnown) + 1);
}

/** The instant that a bar's level counts from; for `visible` the start of the range, whose first known bar is 0. */
function anchorOf(openMs: number, { anchor, zone, start, originMs, fromMs }: Grid): number {
  if (anchor === 'day') return floorTo(openMs, DAY_MS);
  if (anchor === 'session') return beginOf(openMs, zone, start);
  return anchor === 'continuous' ? originMs : fromMs;
}

function* barsOfRange(grid: Grid): Generator<readonly [openMs: number, endMs: number]> {
  const { stepMs, anchor, zone, start, fromMs, toMs } = grid;
  const [ownZone, ownStart] = anchor === 'session' ? [zone, start] : ['UTC', '00:00'];
  let openMs = beginOf(fromMs, ownZone, ownStart);
  while (openMs <= toMs) {
    // The last bar of a session ends with the session.
    const sessionEndMs = beginOf(
      beginOf(openMs, ownZone, ownStart) + 1.5 * DAY_MS,
      ownZone,
      ownStart,
    );
    const endMs = stepMs === DAY_MS ? sessionEndMs : Math.min(openMs + stepMs, sessionEndMs);
    if (openMs >= fromMs) yield [openMs, endMs];
    openMs = endMs;
  }
}
