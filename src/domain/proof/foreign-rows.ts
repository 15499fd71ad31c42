/**
 * Rows that are dated far from the trades around them. The exchange's clock may run back a little from
 * one id to the next, and such a row is kept (see continuity.ts). A row that is further off carries a
 * wrong date: nobody can tell which bar it belongs to, so it is not stored, and its id is missing.
 */

import { floorTo, HOUR_MS } from '../time/hour.ts';
import type { Neighbour } from './ledger.ts';
import { TradeBlock } from '../trade/trade-block.ts';

/**
 * How far before its hour's start the time of a row may lie; a row further back is foreign. The largest
 * step back that is known of real trades is 932 ms (BTCUSDT, ids 1195415 and 1195416 of 2017-12-04); rows
 * with a wrong date are days off. An hour is far from both, and keeps a row in the hour of its ids or in
 * the one before it.
 */
export const BACKWARD_BOUND_MS = HOUR_MS;
const BACKWARD_BOUND_US = BACKWARD_BOUND_MS * 1000;

/** Rows that are looked at to tell a late row from a silence: as many late ones side by side, less one, are told. */
const LOOKAHEAD_ROWS = 200;

/** A row that was refused. */
export interface ForeignRow extends Neighbour {
  /** Time of a trade beside it; undefined where there is none. */
  readonly amongUs: number | undefined;
}

/** For evidence. */
export function describeForeign({ id, timeUs, amongUs }: ForeignRow): string {
  const among = amongUs === undefined ? '' : ` and lies among trades of ${isoTime(amongUs)}`;
  return `id ${id} is dated ${isoTime(timeUs)}${among}`;
}

function isoTime(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString();
}

/** Whether a row is foreign to the hour in which the latest trade before it lies. */
export function isTooEarly(timeUs: number, latestUs: number): boolean {
  // Nearly every row is decided by the first comparison: this runs twice for each.
  return timeUs < latestUs - BACKWARD_BOUND_US && timeUs < hourUsOf(latestUs) - BACKWARD_BOUND_US;
}

/** Whether rows behind this one may be foreign to its hour, though they are not to that of the trade before it. */
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

/** What the rows that follow one say of it. */
interface Lookahead {
  /** One of them would be foreign to its hour, and is not to that of the trade before it. */
  readonly isLate: boolean;
  /** More rows may follow than were there to be looked at. */
  readonly isCut: boolean;
}

/**
 * Looks at what follows a row, to tell a wrong date from a silence.
 * @param ids of rows in their order; those with a lower id are of another stream, and pass
 * @param latestUs of the trades before it; where there is none, most of what follows decides
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

/** Foreign rows that are kept for evidence; more are only counted. */
const MOST_NAMED = 1_000;

/** Passes on the rows of a file that are in their place. */
export class ForeignRows {
  readonly #startUs: number;
  readonly #endUs: number;
  /** Rows that wait for those that follow them. */
  #held: TradeBlock | undefined;
  #lastId = -1;
  #latestUs: number | undefined;
  #count = 0;
  readonly #named: ForeignRow[] = [];

  /** @param range the dates that the file promises */
  constructor(range: { readonly startMs: number; readonly endMs: number }) {
    this.#startUs = range.startMs * 1000;
    this.#endUs = range.endMs * 1000;
  }

  /** Rows that were left out so far. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get named(): readonly ForeignRow[] {
    return this.#named;
  }

  /** @returns rows that are in their place, in their order; good as long as `block` is */
  push(block: TradeBlock): TradeBlock[] {
    return this.#judge(
      this.#held === undefined ? block : TradeBlock.join([this.#held, block]),
      false,
    );
  }

  /** What was still held back. */
  end(): TradeBlock[] {
    return this.#held === undefined ? [] : this.#judge(this.#held, true);
  }

  #judge(block: TradeBlock, isEnd: boolean): TradeBlock[] {
    const { rows, aggIds, timesUs } = block;
    const passed: TradeBlock[] = [];
    let from = 0;
    let row = 0;
    this.#held = undefined;
    for (; row < rows; row += 1) {
      const id = aggIds[row] ?? 0;
      const timeUs = timesUs[row] ?? 0;
      // Where ids fall, another stream goes on: nothing says what its row lies among.
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
