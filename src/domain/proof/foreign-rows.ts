/**
 * Foreign rows: rows that are dated far from the trades around them. The exchange's clock may run back a
 * little from one id to the next; such a row is kept (see continuity.ts). A row that is further off has a
 * wrong date. Its bar can't be determined, so it is not stored, and its id counts as missing.
 */

import { floorTo, HOUR_MS } from '../time/hour.ts';
import type { Neighbour } from './ledger.ts';
import { TradeBlock } from '../trade/trade-block.ts';

/**
 * How far before its hour's start the time of a row may lie; a row further back is foreign. The largest
 * known step back of real trades is 932 ms (BTCUSDT, ids 1195415 and 1195416 of 2017-12-04); rows with a
 * wrong date are days off. One hour is far from both, and the time of a kept row lies in the hour of its
 * id or in the hour before.
 */
export const BACKWARD_BOUND_MS = HOUR_MS;
const BACKWARD_BOUND_US = BACKWARD_BOUND_MS * 1000;

/**
 * How many following rows are examined to tell a row that is dated late from a silence. A longer series
 * of such rows is not recognized.
 */
const LOOKAHEAD_ROWS = 200;

/** A row that was left out because of its date. */
export interface ForeignRow extends Neighbour {
  /** Time of a neighbouring trade; undefined when there is none. */
  readonly amongUs: number | undefined;
}

/** The row as text, for evidence. */
export function describeForeign({ id, timeUs, amongUs }: ForeignRow): string {
  const among = amongUs === undefined ? '' : ` and lies among trades of ${isoTime(amongUs)}`;
  return `id ${id} is dated ${isoTime(timeUs)}${among}`;
}

function isoTime(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString();
}

/** Whether a row is dated too early for the hour of the latest trade before it. */
export function isTooEarly(timeUs: number, latestUs: number): boolean {
  // The first comparison decides nearly every row; this runs twice for each.
  return timeUs < latestUs - BACKWARD_BOUND_US && timeUs < hourUsOf(latestUs) - BACKWARD_BOUND_US;
}

/**
 * Whether this row may itself be dated late: rows after it could be too early for its hour without being
 * too early for the hour of the trade before it.
 */
export function needsLookahead(timeUs: number, latestUs: number | undefined): boolean {
  if (latestUs === undefined) return true;
  return (
    timeUs > latestUs + BACKWARD_BOUND_US &&
    hourUsOf(timeUs) > hourUsOf(latestUs) + BACKWARD_BOUND_US
  );
}

function hourUsOf(timeUs: number): number {
  return floorTo(timeUs, HOUR_MS * 1000);
}

/** What the following rows say about a row. */
interface Lookahead {
  /** The row is dated late: rows after it are too early for its hour, but not for that of the trade before it. */
  readonly isLate: boolean;
  /** Fewer rows were available than are to be examined; more may follow. */
  readonly isCut: boolean;
}

/**
 * Examines the rows after a row, to tell a wrong date from a silence.
 * @param ids of rows in their order; following rows with a lower id belong to another stream and are skipped
 * @param latestUs latest time of the trades before the row; when undefined, the majority of the
 *   following rows decides
 */
export function lookAhead(
  ids: ArrayLike<number>,
  timesUs: ArrayLike<number>,
  row: number,
  latestUs: number | undefined,
): Lookahead {
  const id = ids[row] ?? 0;
  const timeUs = timesUs[row] ?? 0;
  const end = Math.min(ids.length, row + 1 + LOOKAHEAD_ROWS);
  let earlier = 0;
  let seen = 0;
  for (let next = row + 1; next < end; next += 1) {
    if ((ids[next] ?? 0) <= id) continue;
    const nextUs = timesUs[next] ?? 0;
    if (latestUs !== undefined && isTooEarly(nextUs, latestUs)) continue;
    seen += 1;
    if (isTooEarly(nextUs, timeUs)) earlier += 1;
  }
  const isLate = latestUs === undefined ? 2 * earlier > seen : earlier > 0;
  return { isLate, isCut: end === ids.length && end < row + 1 + LOOKAHEAD_ROWS };
}

/** At most this many foreign rows are kept for evidence; the rest is only counted. */
const MOST_NAMED = 1_000;

/** Filters the foreign rows out of a file. */
export class ForeignRows {
  readonly #startUs: number;
  readonly #endUs: number;
  /** Rows that can be decided only after the following ones. */
  #held: TradeBlock | undefined;
  #lastId = -1;
  #latestUs: number | undefined;
  #count = 0;
  readonly #named: ForeignRow[] = [];

  /** @param range the dates in the file's name */
  constructor(range: { readonly startMs: number; readonly endMs: number }) {
    this.#startUs = range.startMs * 1000;
    this.#endUs = range.endMs * 1000;
  }

  /** How many rows were left out so far. */
  get count(): number {
    return this.#count;
  }

  /** The first MOST_NAMED of them. */
  get named(): readonly ForeignRow[] {
    return this.#named;
  }

  /** @returns the rows that are not foreign, in their order; valid as long as `block` is */
  push(block: TradeBlock): TradeBlock[] {
    return this.#filter(
      this.#held === undefined ? block : TradeBlock.join([this.#held, block]),
      false,
    );
  }

  /** @returns the rows that were still held back, without foreign ones */
  end(): TradeBlock[] {
    return this.#held === undefined ? [] : this.#filter(this.#held, true);
  }

  #filter(block: TradeBlock, isEnd: boolean): TradeBlock[] {
    const { rows, aggIds, timesUs } = block;
    const passed: TradeBlock[] = [];
    let from = 0;
    let row = 0;
    this.#held = undefined;
    for (; row < rows; row += 1) {
      const id = aggIds[row] ?? 0;
      const timeUs = timesUs[row] ?? 0;
      // Where ids descend, another stream continues, and the latest time says nothing about its row.
      const latestUs = id > this.#lastId ? this.#latestUs : undefined;
      let isForeign =
        timeUs < this.#startUs ||
        timeUs >= this.#endUs ||
        (latestUs !== undefined && isTooEarly(timeUs, latestUs));
      if (!isForeign && needsLookahead(timeUs, latestUs)) {
        const { isLate, isCut } = lookAhead(aggIds, timesUs, row, latestUs);
        if (isCut && !isEnd) {
          this.#held = TradeBlock.join([block.slice(row, rows)]);
          break;
        }
        isForeign = isLate;
      }
      this.#lastId = id;
      this.#latestUs = isForeign ? latestUs : Math.max(latestUs ?? timeUs, timeUs);
      if (!isForeign) continue;
      this.#refuse({ id, timeUs, amongUs: latestUs ?? timesUs[row + 1] });
      if (row > from) passed.push(block.slice(from, row));
      from = row + 1;
    }
    if (row > from) passed.push(block.slice(from, row));
    return passed;
  }

  #refuse(row: ForeignRow): void {
    this.#count += 1;
    if (this.#named.length < MOST_NAMED) this.#named.push(row);
  }
}
