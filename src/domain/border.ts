/**
 * Two days that were taken from files of their own meet at midnight: what each has of the other's
 * nearest trade proves the hours beside the border. Whichever is on record later brings it.
 */

import { HOUR_MS } from './hour.ts';
import type { Neighbour, SliceRecord } from './ledger.ts';

/**
 * @param records ledger rows of one series on both sides of a border, any order
 * @returns those that now know the trade across it, changed
 */
export function joinAcross(records: readonly SliceRecord[], borderMs: number): SliceRecord[] {
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const tail = tailOf(byHour.get(borderMs - HOUR_MS));
  const head = headOf(byHour.get(borderMs));
  if (tail === undefined || head === undefined || tail.id >= head.id) return [];
  return [
    ...untilKnown(byHour, borderMs - HOUR_MS, -HOUR_MS, 'next').map((record) => ({
      ...record,
      next: head,
    })),
    ...untilKnown(byHour, borderMs, HOUR_MS, 'prev').map((record) => ({ ...record, prev: tail })),
  ];
}

/** The last trade up to the end of an hour. */
function tailOf(record: SliceRecord | undefined): Neighbour | undefined {
  return record?.last ?? record?.prev;
}

/** The first trade from the start of an hour on. */
function headOf(record: SliceRecord | undefined): Neighbour | undefined {
  return record?.first ?? record?.next;
}

/** Hours from the border on that lack the trade across it: silent ones, and the first with trades. */
function untilKnown(
  byHour: ReadonlyMap<number, SliceRecord>,
  fromMs: number,
  stepMs: number,
  side: 'prev' | 'next',
): SliceRecord[] {
  const found: SliceRecord[] = [];
  for (let hourMs = fromMs; ; hourMs += stepMs) {
    const record = byHour.get(hourMs);
    if (record?.[side] !== undefined || record === undefined) return found;
    found.push(record);
    if (record.rows > 0) return found;
  }
}
