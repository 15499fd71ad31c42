import { CdvaultError } from '../domain/errors.ts';
import type { Series } from '../domain/market.ts';
import { isoDay, type TimeRange } from '../domain/time/hour.ts';
import type { Prunings } from '../ports/prunings.ts';

/**
 * For what needs the trades of a range.
 * @throws CdvaultError TRADES_PRUNED
 */
export async function assertNotPruned(
  { prunings }: { readonly prunings: Pick<Prunings, 'days'> },
  { market, symbol }: Series,
  range: TimeRange,
): Promise<void> {
  const days = await prunings.days({ market, symbol }, range);
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return;
  const which =
    days.length === 1
      ? isoDay(first.dayMs)
      : `${days.length} days from ${isoDay(first.dayMs)} to ${isoDay(last.dayMs)}`;
  throw new CdvaultError('TRADES_PRUNED', `the trades of ${symbol} of ${which} have been pruned`);
}
