import type { Trade, TradeSeries } from './trade-series.ts';

export interface RepeatOptions {
  readonly times: number;
  /** from one copy to the next; at least the time that the series covers */
  readonly everyMs: number;
  /** moves all copies, so that an old day can be yesterday */
  readonly shiftMs?: number;
}

/** The same trades repeated, with ascending ids and times: a month of real traffic from one real day. */
export function repeatedTrades(base: TradeSeries, options: RepeatOptions): TradeSeries {
  const first = base.at(0);
  const last = base.at(base.count - 1);
  const shiftUs = (options.shiftMs ?? 0) * 1000;
  const everyUs = options.everyMs * 1000;
  if (first.timeUs + everyUs < last.timeUs)
    throw new RangeError('copies would overlap: everyMs is too small');
  const idSpan = last.a - first.a + 1;
  const rawSpan = last.l - first.f + 1;
  const count = base.count * options.times;
  const at = (index: number): Trade => {
    const copy = Math.floor(index / base.count);
    const trade = base.at(index - copy * base.count);
    return {
      ...trade,
      a: trade.a + copy * idSpan,
      f: trade.f + copy * rawSpan,
      l: trade.l + copy * rawSpan,
      timeUs: trade.timeUs + shiftUs + copy * everyUs,
    };
  };
  const copyOf = (distance: number, span: number): number =>
    Math.min(options.times - 1, Math.max(0, Math.floor(distance / span)));
  return {
    count,
    firstId: first.a,
    endUs: base.endUs + shiftUs + (options.times - 1) * everyUs,
    at,
    indexOfId: (id) => {
      const copy = copyOf(id - first.a, idSpan);
      return copy * base.count + base.indexOfId(id - copy * idSpan);
    },
    indexAtTime: (timeUs) => {
      const copy = copyOf(timeUs - shiftUs - first.timeUs, everyUs);
      return copy * base.count + base.indexAtTime(timeUs - shiftUs - copy * everyUs);
    },
  };
}
