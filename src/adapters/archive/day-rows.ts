import { DAY_MS } from '../../domain/hour.ts';
import type { TradeBlock } from '../../domain/trade-block.ts';

/**
 * The rows of one day out of those of a month. Files of interleaved streams excepted, nothing of the
 * day comes behind a block that lies behind the day, so reading stops there.
 */
export async function* rowsOfDay(
  rows: AsyncIterable<TradeBlock>,
  dayMs: number,
): AsyncGenerator<TradeBlock> {
  const [startUs, endUs] = [dayMs * 1000, (dayMs + DAY_MS) * 1000];
  for await (const block of rows) {
    if (block.rows > 0 && block.timesUs.every((timeUs) => timeUs >= endUs)) return;
    const isOwn = (timeUs: number) => timeUs >= startUs && timeUs < endUs;
    const from = block.timesUs.findIndex(isOwn);
    // A row of another day in between refuses the file, as it should.
    if (from >= 0) yield block.slice(from, block.timesUs.findLastIndex(isOwn) + 1);
  }
}
