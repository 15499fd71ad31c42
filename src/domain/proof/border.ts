/**
 * Days that were taken from files of their own meet at midnight: what each has of the other's nearest
 * trade proves the hours beside the border. Whichever is on record later brings it. Days that no file
 * tells of may lie between them: where the ids on both sides follow one another, nobody traded there.
 */

import { HOUR_MS } from '../time/hour.ts';
import type { Neighbour, SliceRecord } from './ledger.ts';

/** What files tell of a border beyond what is on record. */
export interface Outside {
  readonly tail?: Neighbour | undefined;
  readonly head?: Neighbour | undefined;
  /** No trade is behind the last one known, in none of the hours up to then. */
  readonly ended?: { readonly untilMs: number; readonly atMs: number } | undefined;
}

/** An hour in which nobody traded, though no file tells of it. */
export interface SilentHour extends Pick<SliceRecord, 'hourMs' | 'next' | 'endedAtMs'> {
  readonly prev: Neighbour;
}

export interface Joined {
  /** Ledger rows that now know the trade across the border, or that none follows. */
  readonly changed: readonly SliceRecord[];
  /** Hours without a ledger row that are now proven. */
  readonly silent: readonly SilentHour[];
}

/** The hours nearest to a border that are on record, and what lies between them. */
export interface Border {
  readonly before: SliceRecord | undefined;
  readonly behind: SliceRecord | undefined;
  /** Hours between them that were asked for, and of which nothing is on record. */
  readonly asked: readonly number[];
}

/**
 * @param records ledger rows of one series on both sides of a border, oldest first
 * @param asked starts of hours that were asked for, and of which nothing is on record
 */
export function borderAt(
  records: readonly SliceRecord[],
  asked: readonly number[],
  borderMs: number,
): Border {
  const before = records.findLast(({ hourMs }) => hourMs < borderMs);
  const behind = records.find(({ hourMs }) => hourMs >= borderMs);
  const [startMs, endMs] = [before?.hourMs ?? -Infinity, behind?.hourMs ?? Infinity];
  return { before, behind, asked: asked.filter((hourMs) => hourMs > startMs && hourMs < endMs) };
}

export function isAdjacent({ before, behind }: Border): boolean {
  return before !== undefined && behind?.hourMs === before.hourMs + HOUR_MS;
}

/**
 * Lets the hours on both sides of a border know each other's nearest trade. Over hours that are not on
 * record only where the ids follow one another: otherwise somebody may have traded there.
 */
export function joinAcross(
  records: readonly SliceRecord[],
  border: Border,
  outside: Outside = {},
): Joined {
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const { before, behind, asked } = border;
  const pair = meeting(border, outside);
  if (pair !== undefined) {
    const { tail, head } = pair;
    const left = tail === tailOf(before) ? untilKnown(byHour, before, -HOUR_MS, 'next') : [];
    const right = head === headOf(behind) ? untilKnown(byHour, behind, HOUR_MS, 'prev') : [];
    const silent = asked
      .filter((hourMs) => hourMs * 1000 > tail.timeUs && (hourMs + HOUR_MS) * 1000 <= head.timeUs)
      .map((hourMs) => ({ hourMs, prev: tail, next: head, endedAtMs: undefined }));
    return {
      changed: [
        ...left.map((record) => ({ ...record, next: head, endedAtMs: undefined })),
        ...right.map((record) => ({ ...record, prev: tail })),
      ],
      silent,
    };
  }
  const tail = lastOf([tailOf(before), outside.tail]);
  const { ended } = outside;
  if (ended === undefined || tail === undefined || behind !== undefined) return NOTHING;
  const isCovered = ({ hourMs }: { readonly hourMs: number }) =>
    hourMs * 1000 + HOUR_MS * 1000 > tail.timeUs && hourMs + HOUR_MS <= ended.untilMs;
  const left = tail === tailOf(before) ? untilKnown(byHour, before, -HOUR_MS, 'next') : [];
  return {
    changed: left
      .filter((record) => record.endedAtMs === undefined && isCovered(record))
      .map((record) => ({ ...record, endedAtMs: ended.atMs })),
    silent: asked
      .filter((hourMs) => hourMs * 1000 > tail.timeUs && isCovered({ hourMs }))
      .map((hourMs) => ({ hourMs, prev: tail, next: undefined, endedAtMs: ended.atMs })),
  };
}

const NOTHING: Joined = { changed: [], silent: [] };

/** The two trades between which nobody traded; beside each other on record, whatever their ids. */
function meeting(
  border: Border,
  outside: Outside,
): { readonly tail: Neighbour; readonly head: Neighbour } | undefined {
  const [tail, head] = [tailOf(border.before), headOf(border.behind)];
  if (isAdjacent(border))
    return tail === undefined || head === undefined || tail.id >= head.id
      ? undefined
      : { tail, head };
  for (const left of [tail, outside.tail])
    for (const right of [head, outside.head])
      if (left !== undefined && right?.id === left.id + 1) return { tail: left, head: right };
  return undefined;
}

function lastOf(trades: readonly (Neighbour | undefined)[]): Neighbour | undefined {
  return trades.reduce(
    (last, trade) => (last === undefined || (trade?.id ?? 0) > last.id ? trade : last),
    undefined,
  );
}

/** The last trade up to the end of an hour. */
export function tailOf(record: SliceRecord | undefined): Neighbour | undefined {
  return record?.last ?? record?.prev;
}

/** The first trade from the start of an hour on. */
function headOf(record: SliceRecord | undefined): Neighbour | undefined {
  return record?.first ?? record?.next;
}

/** Hours from the border on that lack the trade across it: silent ones, and the first with trades. */
function untilKnown(
  byHour: ReadonlyMap<number, SliceRecord>,
  from: SliceRecord | undefined,
  stepMs: number,
  side: 'prev' | 'next',
): SliceRecord[] {
  const found: SliceRecord[] = [];
  for (let record = from; ; record = byHour.get(record.hourMs + stepMs)) {
    if (record?.[side] !== undefined || record === undefined) return found;
    found.push(record);
    if (record.rows > 0) return found;
  }
}
