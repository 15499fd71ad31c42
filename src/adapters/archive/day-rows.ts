import { dayWindowUs } from '../../domain/hour.ts';
import type { TradeBlock } from '../../domain/trade-block.ts';

/**
 * The rows of one day out of those of a month. Files of interleaved streams excepted, nothing of the
 * day comes behind a piece that lies behind the day, so reading stops there.
 */
export async function* rowsOfDay(
  rows: AsyncIterable<TradeBlock>,
  dayMs: number,
): AsyncGenerator<TradeBlock> {
  const { startUs, endUs } = dayWindowUs(dayMs);
  for await (const block of rows) {
    const { timesUs } = block;
    if (block.rows > 0 && timesUs.every((timeUs) => timeUs >= endUs)) return;
    const isOwn = (row: number) => {
      const timeUs = timesUs[row] ?? 0;
      return timeUs >= startUs && timeUs < endUs;
    };
    for (let from = 0; from < block.rows;) {
      let to = from;
      while (to < block.rows && isOwn(to)) to += 1;
      if (to > from) yield block.slice(from, to);
      from = to + 1;
    }
  }
}
