import { parseDecimal, QTY_SCALE } from './decimal.ts';
import { DAY_MS, HOUR_MS, isoHour, lastClosedHourEnd } from './hour.ts';
import { type SliceRecord, type Verdict, verdictOf } from './ledger.ts';

/** `final`: its own trades are proven. `partial`: they are not. `forming`: its end is still to come. */
export type BarStatus = 'final' | 'partial' | 'forming';

/** What the ledger says of one hour of a day, as far as its bars need it. */
export interface DayHour {
  readonly hourMs: number;
  readonly verdict: Verdict;
  /** Ids missing between the level's start and the end of this hour. */
  readonly levelMissing: number;
}

/**
 * What a day's bars are made of. Bars are due whenever `inputs` differs from what they were last
 * computed from: by comparison, never because some message arrived.
 */
export interface DayInputs {
  readonly dayMs: number;
  /** Hours with a ledger row, oldest first; the others are unknown and get no bars. */
  readonly hours: readonly DayHour[];
  /** Midnight, or the first stored hour of a day of which the start was not asked for. */
  readonly levelFromMs: number;
  /** One word per hour: `10=proven:1f3a…`; equal words mean equal trades. */
  readonly inputs: string;
  readonly rows: number;
  /** Half-open id range of the day as far as stored; empty (start = end) in a day without trades. */
  readonly idStart: number;
  readonly idEnd: number;
  /** Ids missing inside that range. */
  readonly missing: number;
  /** Σ signed quantity of valid trades, units of 1e-8. */
  readonly deltaE8: bigint;
  /** Σ quantity of valid trades, units of 1e-8: the bound of every running sum of the day. */
  readonly volumeE8: bigint;
}

/**
 * @param records ledger rows of one UTC day, any order
 * @returns undefined when nothing is known of the day, not even an id
 */
export function dayInputs(dayMs: number, records: readonly SliceRecord[]): DayInputs | undefined {
  const known = records
    .map((record) => ({ record, ids: idRange(record) }))
    .filter((entry): entry is KnownHour => entry.ids !== undefined)
    .toSorted((left, right) => left.record.hourMs - right.record.hourMs);
  const first = known[0];
  if (first === undefined) return undefined;

  const hours: DayHour[] = [];
  let missing = 0;
  let idEnd = first.ids.start;
  for (const { record, ids } of known) {
    missing += Math.max(0, ids.start - idEnd) + (ids.end - ids.start - record.rows);
    idEnd = Math.max(idEnd, ids.end);
    hours.push({ hourMs: record.hourMs, verdict: verdictOf(record), levelMissing: missing });
  }
  const buyE8 = sum(known.map(({ record }) => parseDecimal(record.buyQty, QTY_SCALE)));
  const sellE8 = sum(known.map(({ record }) => parseDecimal(record.sellQty, QTY_SCALE)));
  return {
    dayMs,
    hours,
    levelFromMs: first.record.hourMs,
    inputs: known.map(({ record }) => inputWord(record)).join(' '),
    rows: known.reduce((rows, { record }) => rows + record.rows, 0),
    idStart: first.ids.start,
    idEnd,
    missing,
    deltaE8: buyE8 - sellE8,
    volumeE8: buyE8 + sellE8,
  };
}

interface KnownHour {
  readonly record: SliceRecord;
  readonly ids: { readonly start: number; readonly end: number };
}

/** Half-open; an hour without trades has an empty range between its neighbours. */
function idRange({ first, last, prev, next }: SliceRecord): KnownHour['ids'] | undefined {
  if (first !== undefined && last !== undefined) return { start: first.id, end: last.id + 1 };
  const at = prev === undefined ? next?.id : prev.id + 1;
  return at === undefined ? undefined : { start: at, end: at };
}

function inputWord(record: SliceRecord): string {
  const hour = new Date(record.hourMs).toISOString().slice(11, 13);
  return `${hour}=${verdictOf(record)}:${record.contentHash.slice(0, 16)}`;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

/** The status of the bar `[startMs, startMs + intervalMs)` of a day. */
export function barStatus(day: DayInputs, startMs: number, intervalMs: number, nowMs: number): BarStatus {
  const endMs = startMs + intervalMs;
  if (intervalMs > HOUR_MS && endMs > lastClosedHourEnd(nowMs)) return 'forming';
  const proven = new Set(day.hours.filter(({ verdict }) => verdict === 'proven').map(({ hourMs }) => hourMs));
  for (let hourMs = Math.floor(startMs / HOUR_MS) * HOUR_MS; hourMs < endMs; hourMs += HOUR_MS) {
    if (!proven.has(hourMs)) return 'partial';
  }
  return 'final';
}

/** A level that people may already have seen and that will change. */
export interface Restatement {
  /** The first hour whose level changes. */
  readonly hourMs: number;
  readonly reason: string;
}

/**
 * Whether bars computed from `before` move when they are computed from `after`. Hours added behind
 * the last stored one move nothing; hours added before it, or other content, do.
 */
export function restatementOf(before: string, after: DayInputs): Restatement | undefined {
  const old = before.split(' ').filter((word) => word !== '').map(parseWord);
  const now = after.inputs.split(' ').map(parseWord);
  for (const [index, word] of old.entries()) {
    const current = now[index];
    if (current?.hour === word.hour && current.hash === word.hash) continue;
    return { hourMs: after.dayMs + word.hour * HOUR_MS, reason: reasonOf(word.hour, now, after) };
  }
  return undefined;
}

function reasonOf(hour: number, now: readonly InputWord[], after: DayInputs): string {
  const at = isoHour(after.dayMs + hour * HOUR_MS);
  return now.some((word) => word.hour === hour)
    ? `trades before or in ${at} were added or changed; the level counts from ${isoHour(after.levelFromMs)}`
    : `${at} is no longer in the ledger`;
}

interface InputWord {
  readonly hour: number;
  readonly hash: string;
}

function parseWord(word: string): InputWord {
  return { hour: Number(word.slice(0, 2)), hash: word.slice(word.indexOf(':') + 1) };
}

export function dayRange(dayMs: number): { startMs: number; endMs: number } {
  return { startMs: dayMs, endMs: dayMs + DAY_MS };
}
