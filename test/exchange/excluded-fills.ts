import type { Trade, TradeSeries } from './trade-series.ts';

/**
 * A futures series with fills of the insurance fund between some aggregate trades, as on the exchange. Such
 * fills take raw ids and are in no aggregate trade, so raw ids have gaps where aggregate ids have none.
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
