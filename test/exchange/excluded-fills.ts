import type { Trade, TradeSeries } from './trade-series.ts';

/**
 * A futures series: now and then fills of the insurance fund lie between two aggregate trades. They take
 * raw ids and are in no aggregate trade, so raw ids leave some out where aggregate ids don't.
 */
export function withExcludedFills(base: TradeSeries, everyNth = 50): TradeSeries {
  const shifted = (trade: Trade, index: number): Trade => {
    const excluded = Math.floor(index / everyNth);
    return { ...trade, f: trade.f + excluded, l: trade.l + excluded };
  };
  return {
    count: base.count,
    firstId: base.firstId,
    endUs: base.endUs,
    at: (index) => shifted(base.at(index), index),
    indexOfId: (id) => base.indexOfId(id),
    indexAtTime: (timeUs) => base.indexAtTime(timeUs),
  };
}
