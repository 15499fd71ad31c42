import { type HourIds, idRange, isBuiltFrom, lostHours } from './day.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../time/hour.ts';
import type { SliceRecord } from '../proof/ledger.ts';
import { firstAggId } from '../market.ts';
import { firstIndex } from '../time/search.ts';

/** How complete a level is. */
export interface LevelTrust {
  /** The anchor, or the start of the first stored hour after it. */
  readonly levelFromMs: number;
  /** Ids missing from there to the end of the bar's last hour; undefined when they can't be counted. */
  readonly levelMissing: number | undefined;
}

/** What a day's bars were computed from. */
interface BuiltFrom {
  readonly dayMs: number;
  readonly inputs: string;
}

interface KnownHour {
  readonly hourMs: number;
  readonly ids: HourIds;
  /** False when the trade before the hour was never seen. */
  readonly isCountable: boolean;
  /** Rows of all known hours before it. */
  readonly rowsBefore: number;
  readonly rows: number;
  /** The id after the last one that this hour and those before it may contain. */
  readonly reach: number;
}

/**
 * Counts the missing ids of levels that start at any instant. The rule is that of the days' own levels:
 * an id that is not a row of a stored hour is missing.
 */
export class LevelTrusts {
  readonly #hours: readonly KnownHour[];
  /** Hours whose bars do not match the ledger, ascending. */
  readonly #doubtful: readonly number[];

  /**
   * @param records of the hours in which levels start or end and of all hours between them, any order
   * @param days days that have stored bars
   */
  constructor(records: readonly SliceRecord[], days: readonly BuiltFrom[]) {
    this.#hours = knownHours(records);
    this.#doubtful = doubtfulHours(records, days);
  }

  /** The trust in a level that is 0 at `startMs`, in a bar that ends at `endMs`. */
  between(startMs: number, endMs: number): LevelTrust {
    const hours = this.#hours;
    const startHourMs = floorTo(startMs, HOUR_MS);
    const hourOf = (index: number) => hours[index]?.hourMs ?? Infinity;
    const first = hours[firstIndex(hours.length, (index) => hourOf(index) >= startHourMs)];
    const last = hours[firstIndex(hours.length, (index) => hourOf(index) >= endMs) - 1];
    if (first === undefined || last === undefined || last.hourMs < first.hourMs)
      return { levelFromMs: startMs, levelMissing: undefined };
    const levelFromMs = Math.max(startMs, first.hourMs);
    if (!first.isCountable || this.#isDoubtful(startHourMs, endMs))
      return { levelFromMs, levelMissing: undefined };
    const rows = last.rowsBefore + last.rows - first.rowsBefore;
    return { levelFromMs, levelMissing: Math.max(0, last.reach - first.ids.start - rows) };
  }

  #isDoubtful(startMs: number, endMs: number): boolean {
    const doubtful = this.#doubtful;
    const at = firstIndex(doubtful.length, (index) => (doubtful[index] ?? Infinity) >= startMs);
    return (doubtful[at] ?? Infinity) < endMs;
  }
}

function knownHours(records: readonly SliceRecord[]): KnownHour[] {
  const hours: KnownHour[] = [];
  let rowsBefore = 0;
  let reach = 0;
  for (const record of records.toSorted((left, right) => left.hourMs - right.hourMs)) {
    const ids = idRange(record);
    if (ids === undefined) continue;
    const { hourMs, rows, prev, market } = record;
    reach = Math.max(reach, ids.reach);
    const isCountable = prev !== undefined || ids.start === firstAggId(market);
    hours.push({ hourMs, ids, isCountable, rowsBefore, rows, reach });
    rowsBefore += rows;
  }
  return hours;
}

/** Bars may be older than the ledger, or the ledger may have lost a row: then ids can't be counted. */
function doubtfulHours(records: readonly SliceRecord[], days: readonly BuiltFrom[]): number[] {
  const inputsOf = new Map(days.map(({ dayMs, inputs }) => [dayMs, inputs]));
  const known = new Set(records.map(({ hourMs }) => hourMs));
  const stale = records.filter(
    (record) => !isBuiltFrom(inputsOf.get(floorTo(record.hourMs, DAY_MS)) ?? '', record),
  );
  const lost = days.flatMap(({ dayMs, inputs }) => lostHours(inputs, dayMs, known));
  return [...stale, ...lost].map(({ hourMs }) => hourMs).toSorted((left, right) => left - right);
}
