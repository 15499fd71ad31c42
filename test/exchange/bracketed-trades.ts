import type { Trade, TradeSeries } from './trade-series.ts';

/**
 * A day's file with one trade before it and one after it, as the exchange would have. Without them it
 * cannot be proven where the day's ids start and end.
 * @param startUs start of the day; the trade before it is a tenth of a second older
 */
export function bracketedTrades(base: TradeSeries, startUs: number): TradeSeries {
  const first = base.at(0);
  const last = base.at(base.count - 1);
  const before: Trade = {
    ...first,
    a: first.a - 1,
    f: first.f - 1,
    l: first.f - 1,
    timeUs: startUs - 100_000,
  };
  const after: Trade = {
    ...last,
    a: last.a + 1,
    f: last.l + 1,
    l: last.l + 1,
    timeUs: base.endUs + 100_000,
  };
  const count = base.count + 2;
  return {
    count,
    firstId: before.a,
    endUs: base.endUs + 3_600_000_000,
    at: (index) => (index === 0 ? before : index === count - 1 ? after : base.at(index - 1)),
    indexOfId: (id) => {
      if (id <= before.a) return 0;
      return id <= last.a ? base.indexOfId(id) + 1 : id === after.a ? count - 1 : count;
    },
    indexAtTime: (timeUs) => {
      if (timeUs <= before.timeUs) return 0;
      const index = base.indexAtTime(timeUs);
      return index < base.count ? index + 1 : timeUs <= after.timeUs ? count - 1 : count;
    },
  };
}
