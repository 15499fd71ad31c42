import { expect } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { type AggTrade, nativeTimeUnit } from '../../src/domain/trade/agg-trade.ts';
import { type BarText, barText } from '../../src/domain/bars/bar.ts';
import { cdvBars, compareForBars } from '../support/reference-bars.ts';
import { type BuiltDay, midnightBases } from '../../src/domain/bars/chain.ts';
import { parseDecimal, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { DAY_MS, daysOf, floorTo, HOUR_MS, type TimeRange } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, type Interval, INTERVALS } from '../../src/domain/time/interval.ts';
import type { Market } from '../../src/domain/market.ts';
import type { ExactBar } from '../../src/ports/bar-store.ts';
import type { Trade, TradeSeries } from '../exchange/trade-series.ts';
import { spot } from './rig.ts';

/** The exchange's trades as cdvault must store them, taken from the simulator's series. */
export function truth(
  trades: TradeSeries,
  range: TimeRange,
  market: Market = 'binance_spot',
): AggTrade[] {
  const end = trades.indexAtTime(range.endMs * 1000);
  const rows: AggTrade[] = [];
  for (let index = trades.indexAtTime(range.startMs * 1000); index < end; index += 1)
    rows.push(asStored(trades.at(index), market));
  return rows;
}

function asStored(trade: Trade, market: Market): AggTrade {
  const hourMs = floorTo(trade.timeUs / 1000, HOUR_MS);
  const isMs = nativeTimeUnit(market, hourMs) === 'ms';
  return {
    aggId: trade.a,
    price: trade.p,
    qty: trade.q,
    firstId: trade.f,
    lastId: trade.l,
    timeUs: isMs ? floorTo(trade.timeUs, 1000) : trade.timeUs,
    isBuyerMaker: trade.m,
  };
}

interface ReferenceHours {
  /** Whose trades count; default: all 24. */
  readonly hours?: readonly number[];
  readonly denseHours?: readonly number[];
}

/** The bars of one day by the TypeScript reference, from the trades of `hours` (default: all 24). */
export function referenceDay(
  trades: TradeSeries,
  dayMs: number,
  interval: Interval,
  { hours = hoursOfDay(dayMs), denseHours = hours }: ReferenceHours = {},
): BarText[] {
  const rows = truth(trades, { startMs: dayMs, endMs: dayMs + DAY_MS }).filter(({ timeUs }) =>
    hours.includes(floorTo(timeUs / 1000, HOUR_MS)),
  );
  const request = { intervalMs: INTERVAL_MS[interval], denseHours };
  return [...cdvBars(rows.toSorted(compareForBars), request)].map(barText);
}

export function hoursOfDay(dayMs: number): number[] {
  return Array.from({ length: 24 }, (_, hour) => dayMs + hour * HOUR_MS);
}

/** A bar without status and level facts, which the reference does not have. */
export function withoutTrust({
  status: _status,
  levelFromMs: _from,
  levelMissing: _missing,
  ...bar
}: ExactBar): Omit<ExactBar, 'status' | 'levelFromMs' | 'levelMissing'> {
  return bar;
}

/** Compares every bar at every interval of whole proven days, digit for digit. */
export async function expectExact(
  app: App,
  symbol: string,
  trades: TradeSeries,
  range: TimeRange,
): Promise<void> {
  for (const dayMs of daysOf(range)) {
    for (const interval of INTERVALS) {
      const day = { startMs: dayMs, endMs: dayMs + DAY_MS };
      const stored = await app.bars.bars(spot(symbol), interval, day);
      const name = `${symbol} ${interval} ${new Date(dayMs).toISOString()}`;
      expect(stored.map(withoutTrust), name).toEqual(referenceDay(trades, dayMs, interval));
      expect(
        stored.filter((bar) => !isWholeDayBar(bar, dayMs)),
        name,
      ).toEqual([]);
    }
  }
}

function isWholeDayBar({ status, levelFromMs, levelMissing }: ExactBar, dayMs: number): boolean {
  return status === 'final' && levelFromMs === dayMs && levelMissing === 0;
}

/** Compares the midnight bases of a proven range with those from the exchange's ids and quantities. */
export async function expectAnchors(
  app: App,
  symbol: string,
  trades: TradeSeries,
  { range, originMs }: { readonly range: TimeRange; readonly originMs: number },
): Promise<void> {
  const days = [...daysOf(range)].map((dayMs) => builtDay(trades, dayMs, range));
  const stored = await app.bars.midnightBases(spot(symbol));
  expect(stored.originMs, symbol).toBe(originMs);
  expect(stored.bases, symbol).toEqual(midnightBases(originMs, days));
}

/** The part of a day that lies in the range. */
function builtDay(trades: TradeSeries, dayMs: number, range: TimeRange): BuiltDay {
  const startMs = Math.max(dayMs, range.startMs);
  const endMs = Math.min(dayMs + DAY_MS, range.endMs);
  const rows = truth(trades, { startMs, endMs });
  return {
    dayMs,
    levelFromMs: startMs,
    deltaE8: deltaE8Of(rows),
    idStart: trades.firstId + trades.indexAtTime(startMs * 1000),
    idEnd: trades.firstId + trades.indexAtTime(endMs * 1000),
    missing: 0,
  };
}

export function deltaE8Of(rows: readonly AggTrade[]): bigint {
  return rows.reduce((sum, { qty, isBuyerMaker }) => {
    const units = parseDecimal(qty, QTY_SCALE);
    return isBuyerMaker ? sum - units : sum + units;
  }, 0n);
}
