import type { ForeignRow } from '../../domain/proof/foreign-rows.ts';
import { hourWindowUs } from '../../domain/time/hour.ts';
import { claims, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { type CheckedHour, checkedHour } from '../hour/prove-hour.ts';
import { proveStored } from '../hour/prove-stored.ts';
import type { FileHour } from './day-reader.ts';
import type { ReadDay } from './days-reader.ts';
import { edgeGaps } from './edge-gaps.ts';
import { windowOf } from './file-day.ts';

export interface CheckDeps {
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

interface DaysToCheck {
  readonly series: Series;
  /** At least one. */
  readonly days: readonly ReadDay[];
  /** Starts of the hours whose rows were stored. */
  readonly wanted: ReadonlySet<number>;
}

/** An hour of a file, with its day. */
interface HourOfDay {
  readonly of: ReadDay;
  readonly hour: FileHour;
}

/**
 * Compares hours that were read from files with their stored rows.
 * @returns what to record; hours with holes, and those of which too little is known, are left out
 * @throws CdvaultError READ_BACK_MISMATCH, and the store's own
 */
export async function checkDays(
  deps: CheckDeps,
  { series, days, wanted }: DaysToCheck,
  signal: AbortSignal,
): Promise<readonly CheckedHour[]> {
  const window = windowOf(days.map(({ day }) => day));
  const stored = await deps.trades.readBackHours(series, window);
  const found = days.flatMap((of) =>
    of.hours.filter(({ hourMs }) => wanted.has(hourMs)).map((hour): HourOfDay => ({ of, hour })),
  );
  const checked: CheckedHour[] = [];
  for (const [index, { of, hour }] of found.entries()) {
    if (hour.holes.length > 0) {
      await buryReach(deps, series, hour, signal);
      continue;
    }
    const readBack = stored.get(hour.hourMs);
    const later = found.slice(index + 1);
    const toProve = {
      ...hour,
      ...(readBack === undefined ? {} : { stored: readBack }),
      // None of these hours is in the ledger yet.
      isOfLater: (aggId: number) => later.some(({ hour: { facts } }) => claims(facts, aggId)),
    };
    const slice = { ...series, hourMs: hour.hourMs };
    const buried = await proveStored(deps, slice, toProve, signal);
    const one = checkedFrom(deps, series, hour, { of, buried });
    if (isEnough(one, of)) checked.push(one);
  }
  return checked;
}

/**
 * Buries rows of an hour that is not recorded from the file and whose time lies in the hour before:
 * there, no run would claim them.
 */
async function buryReach(
  { trades }: CheckDeps,
  series: Series,
  { hourMs, keys }: FileHour,
  signal: AbortSignal,
): Promise<void> {
  const { startUs } = hourWindowUs(hourMs);
  const early = keys.ids
    .map((aggId, index) => ({ aggId, timeUs: keys.timesUs[index] ?? startUs }))
    .filter(({ timeUs }) => timeUs < startUs);
  if (early.length > 0) await trades.bury(series, early, signal);
}

function checkedFrom(
  { clock }: CheckDeps,
  series: Series,
  { hourMs, facts, contentHash, gaps }: FileHour,
  { of, buried }: { readonly of: ReadDay; readonly buried: readonly Gap[] },
): CheckedHour {
  const checked = checkedHour(
    { ...series, hourMs },
    {
      facts,
      contentHash,
      prev: facts.prev,
      endedAtMs: undefined,
      gaps: [...gaps, ...buried],
      source: 'archive',
    },
    clock.nowMs(),
  );
  const foreign: readonly ForeignRow[] = of.file.foreign();
  const edges = edgeGaps(checked.record, of.day.source, foreign);
  return { record: checked.record, gaps: [...checked.gaps, ...edges] };
}

/**
 * Whether to record an hour. An hour without rows whose neighbouring trade is unknown is recorded only
 * if the day that has that trade is still to be loaded.
 */
function isEnough({ record }: CheckedHour, { day, edges }: ReadDay): boolean {
  if (verdictOf(record) === 'proven') return true;
  if (edges.asksRest(record.hourMs)) return false;
  const ends = day.edges ?? [];
  return (
    record.rows > 0 ||
    (record.next === undefined && !ends.includes('after')) ||
    (record.prev === undefined && !ends.includes('before'))
  );
}
