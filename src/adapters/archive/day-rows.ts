import type { AggTrade } from '../../domain/agg-trade.ts';
import { DAY_MS } from '../../domain/hour.ts';

/**
 * The rows of one day out of those of a month. Files of interleaved streams excepted, nothing of the
 * day comes behind a piece that lies behind the day, so reading stops there.
 */
export async function* rowsOfDay(
  rows: AsyncIterable<readonly AggTrade[]>,
  dayMs: number,
): AsyncGenerator<readonly AggTrade[]> {
  const [startUs, endUs] = [dayMs * 1000, (dayMs + DAY_MS) * 1000];
  for await (const piece of rows) {
    if (piece.length > 0 && piece.every(({ timeUs }) => timeUs >= endUs)) return;
    const own = piece.filter(({ timeUs }) => timeUs >= startUs && timeUs < endUs);
    if (own.length > 0) yield own;
  }
}
