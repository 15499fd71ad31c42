import { parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import { DAY_MS, HOUR_MS, type TimeRange } from '../time/hour.ts';
import {
  NO_REACH,
  type ReachBack,
  type SliceRecord,
  type Verdict,
  verdictOf,
} from '../proof/ledger.ts';
import { firstAggId } from '../market.ts';

/**
 * `final`: the bar's own trades are proven. `partial`: they are not. Whether a partial bar is still
 * forming depends on the time of the query, so the views say it and the tables do not.
 */
export type BarStatus = 'final' | 'partial';

/** What the ledger says about one hour of a day, as far as its bars need it. */
export interface DayHour {
  readonly hourMs: number;
  readonly verdict: Verdict;
  /**
   * Ids missing between the level's start and the end of this hour, including those at the hour's
   * edges: ids of a hole that may lie in the hour always count. undefined when they can't be counted,
   * because the trade before the level's start was never seen (the exchange no longer keeps it).
   */
  readonly levelMissing: number | undefined;
  /**
   * Rows whose time lies in the hour: those of its run, minus those that reach back out of it, plus
   * those of the next run that reach into it.
   */
  readonly rows: number;
  readonly validRows: number;
  /** Σ quantity of the valid ones by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
  /** Whether rows reach out of the hour or into it. */
  readonly isReached: boolean;
}

/**
 * What a day's bars are computed from. Bars are due whenever `inputs` differs from what they were last
 * computed from. This comparison alone decides it, never a message.
 */
export interface DayInputs {
  readonly dayMs: number;
  /** Hours with a ledger row, oldest first; the others are unknown and get no bars. */
  readonly hours: readonly DayHour[];
  /** Midnight, or the first stored hour when the day's start was not requested. */
  readonly levelFromMs: number;
  /**
   * One word per hour, `10=proven:1f3a…`, and one for the next day's first hour if some of its rows lie
   * in this day. Equal words mean equal trades.
   */
  readonly inputs: string;
  readonly rows: number;
  /**
   * Half-open id range of the day as far as stored, from the id after its predecessor to its last
   * row; empty (start = end) in a day without trades.
   */
  readonly idStart: number;
  readonly idEnd: number;
  /** Ids missing inside that range; undefined when they can't be counted, as above. */
  readonly missing: number | undefined;
  /** Σ signed quantity of valid trades whose time lies in the day's hours, units of 1e-8. */
  readonly deltaE8: bigint;
  /** Σ quantity of the same trades: the upper bound of every running sum of the day. */
  readonly volumeE8: bigint;
}

/** Ledger rows that decide a day's bars: its own, and the hour after it, whose rows may reach into it. */
export function inputRange(dayMs: number): TimeRange {
  return { startMs: dayMs, endMs: dayMs + DAY_MS + HOUR_MS };
}

/**
 * @param records ledger rows of inputRange(), any order
 * @returns undefined when no hour of the day is known by any id
 */
export function dayInputs(dayMs: number, records: readonly SliceRecord[]): DayInputs | undefined {
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const known = records
    .filter(({ hourMs }) => hourMs >= dayMs && hourMs < dayMs + DAY_MS)
    .map((record) => ({ record, ids: idRange(record) }))
    .filter((entry): entry is KnownHour => entry.ids !== undefined)
    .toSorted((left, right) => left.record.hourMs - right.record.hourMs);
  const first = known[0];
  if (first === undefined) return undefined;

  const idStart = first.ids.start;
  const countable = first.record.prev !== undefined || idStart === firstAggId(first.record.market);
  const hours: DayHour[] = [];
  let rows = 0;
  let idEnd = idStart;
  let reach = idStart;
  let lost = 0;
  for (const { record, ids } of known) {
    rows += record.rows;
    idEnd = Math.max(idEnd, ids.end);
    reach = Math.max(reach, ids.reach);
    // These rows are in no bar: the hour that they lie in has no ledger row.
    if (record !== first.record && !byHour.has(record.hourMs - HOUR_MS))
      lost += record.reachBack.rows;
    // The hours' runs share no row, so what is not a row is missing.
    const levelMissing = Math.max(0, reach - idStart - rows) + lost;
    hours.push({
      hourMs: record.hourMs,
      verdict: verdictOf(record),
      levelMissing: countable ? levelMissing : undefined,
      ...tradesIn(record, byHour.get(record.hourMs + HOUR_MS)?.reachBack ?? NO_REACH),
    });
  }
  const buyE8 = sum(hours.map((hour) => hour.buyE8));
  const sellE8 = sum(hours.map((hour) => hour.sellE8));
  const next = byHour.get(dayMs + DAY_MS);
  const isReached = next !== undefined && byHour.has(dayMs + DAY_MS - HOUR_MS);
  return {
    dayMs,
    hours,
    levelFromMs: first.record.hourMs,
    inputs: [
      ...known.map(({ record }) => inputWord(record)),
      ...(isReached ? reachWords(next) : []),
    ].join(' '),
    rows,
    idStart,
    idEnd,
    missing: countable ? Math.max(0, idEnd - idStart - rows) + lost : undefined,
    deltaE8: buyE8 - sellE8,
    volumeE8: buyE8 + sellE8,
  };
}

function tradesIn(
  record: SliceRecord,
  into: ReachBack,
): Pick<DayHour, 'rows' | 'validRows' | 'buyE8' | 'sellE8' | 'isReached'> {
  const out = record.reachBack;
  const validOf = ({ rows, invalidRows }: Pick<ReachBack, 'rows' | 'invalidRows'>) =>
    rows - invalidRows;
  return {
    rows: record.rows - out.rows + into.rows,
    validRows: validOf(record) - validOf(out) + validOf(into),
    buyE8: parseDecimal(record.buyQty, QTY_SCALE) - out.buyE8 + into.buyE8,
    sellE8: parseDecimal(record.sellQty, QTY_SCALE) - out.sellE8 + into.sellE8,
    isReached: out.rows > 0 || into.rows > 0,
  };
}

interface KnownHour {
  readonly record: SliceRecord;
  readonly ids: HourIds;
}

/** Half-open id ranges of an hour, both from `start`. */
export interface HourIds {
  /** The id after the hour's predecessor: ids between it and the first row may belong to the hour. */
  readonly start: number;
  /** The id after the last row; `start` in an hour without rows. */
  readonly end: number;
  /** Up to the hour's successor: ids between the last row and it may belong to the hour. */
  readonly reach: number;
}

/** @returns undefined when no id is known in or around the hour: no trade was seen before, in or after it */
export function idRange({ hourMs, first, last, prev, next }: SliceRecord): HourIds | undefined {
  if (first === undefined && prev === undefined && next === undefined) return undefined;
  const startUs = hourMs * 1000;
  const endUs = (hourMs + HOUR_MS) * 1000;
  // A neighbour whose time lies inside the hour is itself a row that is missing from the hour.
  const ownId = first?.id ?? next?.id;
  const afterPrev = prev === undefined ? ownId : prev.id + (prev.timeUs >= startUs ? 0 : 1);
  const start = Math.min(afterPrev ?? 0, ownId ?? afterPrev ?? 0);
  const end = last === undefined ? start : last.id + 1;
  const reach = next === undefined ? end : next.id + (next.timeUs < endUs ? 1 : 0);
  return { start, end, reach: Math.max(end, reach) };
}

/** Equal words mean equal bars. For an hour with gaps the word has its neighbours, which decide how many ids are missing. */
function inputWord(record: SliceRecord): string {
  const hour = new Date(record.hourMs).toISOString().slice(11, 13);
  const verdict = verdictOf(record);
  const edges = verdict === 'gap' ? `/${record.prev?.id ?? ''}-${record.next?.id ?? ''}` : '';
  return `${hour}=${verdict}:${contentWord(record)}${edges}`;
}

/** The word of the next day's first hour, if some of its rows lie in the day before. */
function reachWords(record: SliceRecord): string[] {
  return record.reachBack.rows === 0 ? [] : [`next=${contentWord(record)}`];
}

/** `1f3a…`, with `<2` appended when two of the run's rows lie in the hour before. */
function contentWord({ contentHash, reachBack }: SliceRecord): string {
  return contentHash.slice(0, 16) + (reachBack.rows === 0 ? '' : `<${reachBack.rows}`);
}

/**
 * Whether the bars of the day before this hour, computed from `inputs`, contain the rows of this hour
 * that reach back into that day.
 */
export function holdsReach(inputs: string, record: SliceRecord): boolean {
  const words = inputs.split(' ');
  if (!words.some((word) => word.startsWith('23='))) return true;
  return reachWords(record).every((word) => words.includes(word));
}

/** Whether bars computed from `inputs` contain this hour as the ledger has it now. */
export function isBuiltFrom(inputs: string, record: SliceRecord): boolean {
  return idRange(record) === undefined || inputs.split(' ').includes(inputWord(record));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

/** The status of the bar `[startMs, startMs + intervalMs)` of a day. */
export function barStatus(day: DayInputs, startMs: number, intervalMs: number): BarStatus {
  const proven = new Set(
    day.hours.filter(({ verdict }) => verdict === 'proven').map(({ hourMs }) => hourMs),
  );
  for (
    let hourMs = Math.floor(startMs / HOUR_MS) * HOUR_MS;
    hourMs < startMs + intervalMs;
    hourMs += HOUR_MS
  ) {
    if (!proven.has(hourMs)) return 'partial';
  }
  return 'final';
}

/** Hours that bars were computed from (`before`: their `inputs`) and that are not in `known`, oldest first. */
export function lostHours(
  before: string,
  dayMs: number,
  known: ReadonlySet<number>,
): readonly { readonly hourMs: number; readonly hashPrefix: string }[] {
  return words(before)
    .map(({ hour, hash }) => ({ hourMs: dayMs + hour * HOUR_MS, hashPrefix: hash }))
    .filter(({ hourMs }) => !known.has(hourMs));
}

/** An hour of `inputs`. */
interface InputWord {
  readonly hour: number;
  readonly hash: string;
}

export function words(inputs: string): InputWord[] {
  return [...inputs.matchAll(/(\d\d)=\w+:(\w+)/g)].map(([, hour = '', hash = '']) => ({
    hour: Number(hour),
    hash,
  }));
}
