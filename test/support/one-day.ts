import { buildBars, type BuildBarsDeps } from '../../src/app/bars/build-bars.ts';
import { type DayOutcome, loadDays, type LoadDaysDeps } from '../../src/app/day/load-days.ts';
import type { FileDay } from '../../src/app/day/file-day.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { Series } from '../../src/domain/market.ts';

/** Builds the bars of one day. @throws the day's own error too */
export async function buildDay(
  deps: BuildBarsDeps,
  series: Series,
  dayMs: number,
  signal: AbortSignal,
): Promise<'built' | 'fresh' | 'nothing_known' | 'busy'> {
  const [outcome] = await buildBars(deps, [{ series, days: [dayMs] }], signal);
  if (outcome === undefined) throw new Error('no outcome');
  if (outcome instanceof CdvaultError) throw outcome;
  return outcome;
}

/** Loads one day from its file. @throws when its file was refused, or its host was silent */
export async function loadDay(
  deps: LoadDaysDeps,
  day: FileDay,
  signal: AbortSignal,
): Promise<DayOutcome | 'busy'> {
  const outcomes = await loadDays(deps, [day], signal);
  const outcome = outcomes === 'busy' ? outcomes : outcomes.get(day.dayMs);
  if (outcome === undefined) throw new Error('no outcome');
  if (outcome !== 'busy' && outcome.unread !== undefined && 'error' in outcome.unread)
    throw outcome.unread.error;
  return outcome;
}
