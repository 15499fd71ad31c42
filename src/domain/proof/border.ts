/**
 * Joins days that were loaded from separate files. The nearest trade on the other side of midnight proves
 * the hours next to the border; the day that is recorded later brings it. Days without a file may lie
 * between the two: where the ids on both sides are consecutive, nothing was traded in them.
 */

import { HOUR_MS } from '../time/hour.ts';
import type { Neighbour, SliceRecord } from './ledger.ts';

/** What files say about a border in addition to the ledger. */
export interface Outside {
  /** The last trade before the border. */
  readonly tail?: Neighbour | undefined;
  /** The first trade after the border. */
  readonly head?: Neighbour | undefined;
  /** No trade follows the last known one in any hour up to `untilMs`. */
  readonly ended?: { readonly untilMs: number; readonly atMs: number } | undefined;
}

/** An hour without trades and without a file. */
export interface SilentHour extends Pick<SliceRecord, 'hourMs' | 'next' | 'endedAtMs'> {
  readonly prev: Neighbour;
}

export interface Joined {
  /** Ledger rows to which the trade across the border was added, or the fact that none follows. */
  readonly changed: readonly SliceRecord[];
  /** Hours without a ledger row that are now proven. */
  readonly silent: readonly SilentHour[];
}

/** The nearest ledger rows before and after a border, and the hours between them. */
export interface Border {
  readonly before: SliceRecord | undefined;
  readonly after: SliceRecord | undefined;
  /** Hours between them that were requested and have no ledger row. */
  readonly asked: readonly number[];
}

/**
 * @param records ledger rows of one series on both sides of a border, oldest first
 * @param asked starts of hours that were requested and have no ledger row
 */
export function borderAt(
  records: readonly SliceRecord[],
  asked: readonly number[],
  borderMs: number,
): Border {
  const before = records.findLast(({ hourMs }) => hourMs < borderMs);
  const after = records.find(({ hourMs }) => hourMs >= borderMs);
  const [startMs, endMs] = [before?.hourMs ?? -Infinity, after?.hourMs ?? Infinity];
  return { before, after, asked: asked.filter((hourMs) => hourMs > startMs && hourMs < endMs) };
}

export function isAdjacent({ before, after }: Border): boolean {
  return before !== undefined && after?.hourMs === before.hourMs + HOUR_MS;
}

/**
 * Gives the hours on both sides of a border each other's nearest trade. Across hours without a ledger row
 * it does so only where the ids are consecutive: otherwise trades may be missing there.
 */
export function joinAcross(
  records: readonly SliceRecord[],
  border: Border,
  outside: Outside = {},
): Joined {
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const { before, after, asked } = border;
  const pair = meeting(border, outside);
  if (pair !== undefined) {
    const { tail, head } = pair;
    const left = tail === tailOf(before) ? untilKnown(byHour, before, -HOUR_MS, 'next') : [];
    const right = head === headOf(after) ? untilKnown(byHour, after, HOUR_MS, 'prev') : [];
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
  if (ended === undefined || tail === undefined || after !== undefined) return NOTHING;
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

/**
 * The two trades between which there is none: consecutive ids, or, when the two hours are adjacent in
 * the ledger, their nearest trades whatever the ids.
 */
function meeting(
  border: Border,
  outside: Outside,
): { readonly tail: Neighbour; readonly head: Neighbour } | undefined {
  const [tail, head] = [tailOf(border.before), headOf(border.after)];
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

/**
 * Hours from the border on that do not know the trade across it: hours without trades, and the first
 * one with trades.
 */
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
