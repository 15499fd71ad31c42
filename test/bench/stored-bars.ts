import { distilledHours } from '../../src/app/bars/distilled-day.ts';
import type { App } from '../../src/cli/compose.ts';
import { dayBars } from '../../src/domain/bars/day-bars.ts';
import { dayInputs, inputRange } from '../../src/domain/bars/day.ts';
import type { SeriesDay } from '../../src/domain/market.ts';

const PATIENCE_MS = 600_000;

/** From the stored rows, as if another process had fetched them. */
const NOTHING_KEPT = { keep: () => undefined, find: () => undefined };

/**
 * Distils a stored day again.
 * @returns adds up its bars and writes them, any number of times
 */
export async function barsOfStoredDay(
  { ledger, trades, bars }: Pick<App, 'ledger' | 'trades' | 'bars'>,
  { market, symbol, dayMs }: SeriesDay,
): Promise<() => Promise<void>> {
  const series = { market, symbol };
  const found = await ledger.records(series, inputRange(dayMs));
  const day = dayInputs(dayMs, found);
  if (day === undefined) throw new Error(`${symbol}: a day is not in the ledger`);
  const records = new Map(found.map((record) => [record.hourMs, record]));
  const { tiers } = bars;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const hours = await distilledHours(
    { trades, distilled: NOTHING_KEPT },
    series,
    { day, records, tiers, contract: undefined },
    signal,
  );
  return async () => {
    const written = { series, day, bars: dayBars(day, hours, tiers), contract: undefined };
    await bars.write(() => [{ ...written, fromMs: dayMs, mayHaveLeft: false }], signal);
  };
}
