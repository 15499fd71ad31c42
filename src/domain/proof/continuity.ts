/**
 * Checks one hour's run of ids. Every id of a series belongs to exactly one hour: an hour's run starts
 * at the first id whose time is at or after the hour's start, and ends before the first id whose time is
 * at or after its end. Both borders follow from the trades alone, so any page size, any resumption and
 * any order of hours give the same run, and no trade belongs to two hours. A row whose time runs
 * backwards across a border stays in the run of its id and is counted. A row with a time further off
 * (foreign-rows.ts) is left out, and its id counts as missing.
 *
 * States of a run, and what may follow:
 *   before   no row of the run yet          → before (a row older than the hour: it becomes `prev`),
 *                                             inside (a row of the hour), done
 *   inside   at least one row of the run    → inside (a row before the hour's end), done
 *   done     the trade after the run is known, or an empty page said that there is none yet → nothing:
 *            a call of accept(), acceptBlock() or prime() is an INTERNAL error
 * Foreign rows change no state. acceptBlock() without rows and prime() never lead to `done`.
 */

import { type AggTrade, isInvalid } from '../trade/agg-trade.ts';
import { ExactSum, parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import { CdvaultError } from '../errors.ts';
import { isTooEarly, lookAhead, needsLookahead } from './foreign-rows.ts';
import { HOUR_MS, isoHour } from '../time/hour.ts';
import { JumpWatch } from './jumps.ts';
import type {
  AcceptedBlock,
  AcceptedPage,
  HourRun,
  IdHole,
  RunFacts,
  RunStart,
} from './hour-run.ts';
import { type Neighbour, NO_REACH, plusReach } from './ledger.ts';
import { QTY_FIELD, type TradeBlock } from '../trade/trade-block.ts';

const BEFORE = -1;
const INSIDE = 0;
const AFTER = 1;
const FOREIGN = 2;
/** Where a row lies, seen from the run. */
type Place = typeof BEFORE | typeof INSIDE | typeof AFTER | typeof FOREIGN;

export function createHourRun(hour: { readonly hourMs: number }, start: RunStart): HourRun {
  return new Run(hour.hourMs, start);
}

class Run implements HourRun {
  readonly #hourMs: number;
  readonly #startUs: number;
  readonly #endUs: number;
  #nextId: number;
  #done = false;
  #rows = 0;
  #first: Neighbour | undefined;
  #lastId = -1;
  #lastUs = 0;
  /** Latest time of all rows so far, including the row before the run. */
  #latestUs: number | undefined;
  #prev: Neighbour | undefined;
  #next: Neighbour | undefined;
  #invalidRows = 0;
  #backwardRows = 0;
  #reachBack = NO_REACH;
  readonly #jumps = new JumpWatch();
  readonly #buy = new ExactSum();
  readonly #sell = new ExactSum();

  constructor(hourMs: number, start: RunStart) {
    this.#hourMs = hourMs;
    this.#startUs = hourMs * 1000;
    this.#endUs = (hourMs + HOUR_MS) * 1000;
    this.#nextId = start.expectedId;
    this.#prev = start.prev;
    this.#latestUs = start.prev?.timeUs;
  }

  get done(): boolean {
    return this.#done;
  }

  get nextId(): number {
    return this.#nextId;
  }

  get facts(): RunFacts {
    return {
      rows: this.#rows,
      first: this.#first,
      last: this.#last(),
      prev: this.#prev,
      next: this.#next,
      invalidRows: this.#invalidRows,
      backwardRows: this.#backwardRows,
      reachBack: this.#reachBack,
      halts: this.#jumps.haltsSince(this.#prev && Math.min(this.#prev.timeUs, this.#startUs)),
      rawIdGaps: this.#jumps.rawIdGaps,
      buyE8: this.#buy.value,
      sellE8: this.#sell.value,
    };
  }

  accept(page: readonly AggTrade[], mayGoOn = false): AcceptedPage {
    this.#refuseWhenDone();
    checkIds(page, this.#nextId, this.#hourMs);
    const kept: AggTrade[] = [];
    const holes: IdHole[] = [];
    for (let index = 0; index < page.length; index += 1) {
      const trade = page[index];
      if (trade === undefined) break;
      const { aggId, timeUs } = trade;
      const place = this.#placeOnPage(page, index, timeUs, mayGoOn);
      if (place === undefined) break;
      if (aggId > this.#nextId) holes.push({ fromId: this.#nextId, toId: aggId });
      this.#nextId = aggId + 1;
      if (place === FOREIGN) holes.push(this.#foreign(aggId, timeUs, page[index + 1]));
      else if (place === BEFORE) this.#before(aggId, timeUs);
      else if (place === AFTER) {
        this.#end(aggId, timeUs, trade.firstId, trade.lastId, !isInvalid(trade));
        break;
      } else {
        this.#takeTrade(trade);
        kept.push(trade);
      }
    }
    if (page.length === 0) this.#done = true;
    return { kept, holes, done: this.#done, nextId: this.#nextId };
  }

  acceptBlock(block: TradeBlock, from: number): AcceptedBlock {
    this.#refuseWhenDone();
    const { rows, aggIds, timesUs, firstIds, lastIds, qtysE8, makers, valids } = block;
    const holes: IdHole[] = [];
    let keptFrom = from;
    let row = from;
    for (; row < rows; row += 1) {
      const aggId = aggIds[row] ?? 0;
      const timeUs = timesUs[row] ?? 0;
      const place = this.#place(timeUs);
      if (place === FOREIGN) {
        // In a day cut out of a month's file, its id may be far above the ids of the rows that follow.
        if (row > keptFrom) break;
        keptFrom = row + 1;
        continue;
      }
      if (aggId !== this.#nextId) {
        if (aggId < this.#nextId) throw lowId(aggId, this.#nextId, this.#nextId, this.#hourMs);
        holes.push({ fromId: this.#nextId, toId: aggId });
      }
      this.#nextId = aggId + 1;
      const isValid = valids[row] === 1;
      if (place === BEFORE) {
        this.#before(aggId, timeUs);
        keptFrom = row + 1;
      } else if (place === AFTER) {
        this.#end(aggId, timeUs, firstIds[row] ?? 0, lastIds[row] ?? 0, isValid);
        break;
      } else {
        if (this.#take(aggId, timeUs, firstIds[row] ?? 0, lastIds[row] ?? 0, isValid))
          this.#reachBack = plusReach(this.#reachBack, block.trade(row));
        if (!isValid) continue;
        const qtyE8 = qtysE8[row] ?? Infinity;
        const sum = makers[row] === 1 ? this.#sell : this.#buy;
        if (qtyE8 < Infinity) sum.add(qtyE8);
        else sum.addBig(parseDecimal(block.fieldText(row, QTY_FIELD), QTY_SCALE));
      }
    }
    return { from: keptFrom, to: row, holes, done: this.#done, nextId: this.#nextId };
  }

  prime(stored: readonly AggTrade[]): readonly AggTrade[] {
    this.#refuseWhenDone();
    const taken: AggTrade[] = [];
    for (const trade of stored) {
      if (trade.aggId < this.#nextId) continue;
      if (trade.aggId > this.#nextId || this.#place(trade.timeUs) !== INSIDE) break;
      this.#nextId = trade.aggId + 1;
      this.#takeTrade(trade);
      taken.push(trade);
    }
    return taken;
  }

  #place(timeUs: number): Place {
    if (this.#latestUs !== undefined && isTooEarly(timeUs, this.#latestUs)) return FOREIGN;
    if (timeUs >= this.#endUs) return AFTER;
    return this.#rows === 0 && timeUs < this.#startUs ? BEFORE : INSIDE;
  }

  /** @returns undefined when the next page is needed to decide */
  #placeOnPage(
    page: readonly AggTrade[],
    index: number,
    timeUs: number,
    mayGoOn: boolean,
  ): Place | undefined {
    if (needsLookahead(timeUs, this.#latestUs)) {
      const ids = page.map(({ aggId }) => aggId);
      const times = page.map((trade) => trade.timeUs);
      const { isLate, isCut } = lookAhead(ids, times, index, this.#latestUs);
      if (isCut && mayGoOn && index > 0) return undefined;
      if (isLate) return FOREIGN;
    }
    return this.#place(timeUs);
  }

  #foreign(id: number, timeUs: number, after: AggTrade | undefined): IdHole {
    const amongUs = this.#latestUs ?? after?.timeUs;
    return { fromId: id, toId: id + 1, foreign: { id, timeUs, amongUs } };
  }

  #before(id: number, timeUs: number): void {
    this.#prev = { id, timeUs };
    this.#latestUs = Math.max(this.#latestUs ?? timeUs, timeUs);
  }

  #last(): Neighbour | undefined {
    return this.#rows === 0 ? undefined : { id: this.#lastId, timeUs: this.#lastUs };
  }

  // oxlint-disable-next-line max-params -- numbers: it is called for every row of a file, and makes no object
  #end(id: number, timeUs: number, firstId: number, lastId: number, isValid: boolean): void {
    if (this.#rows > 0) this.#jumps.see(id, timeUs, firstId, lastId, isValid);
    this.#next = { id, timeUs };
    this.#nextId = id;
    this.#done = true;
  }

  /** @returns whether the row's time is before the hour */
  // oxlint-disable-next-line max-params -- numbers: it is called for every row of a file, and makes no object
  #take(id: number, timeUs: number, firstId: number, lastId: number, isValid: boolean): boolean {
    this.#jumps.see(id, timeUs, firstId, lastId, isValid);
    // Rows at or after the hour's end are never taken, so only an early time can lie outside the hour.
    if (timeUs < this.#startUs || timeUs < this.#lastUs) this.#backwardRows += 1;
    if (this.#rows === 0) this.#first = { id, timeUs };
    this.#lastId = id;
    this.#lastUs = timeUs;
    if (this.#latestUs === undefined || timeUs > this.#latestUs) this.#latestUs = timeUs;
    this.#rows += 1;
    if (!isValid) this.#invalidRows += 1;
    return timeUs < this.#startUs;
  }

  #takeTrade(trade: AggTrade): void {
    const isValid = !isInvalid(trade);
    const isOlder = this.#take(trade.aggId, trade.timeUs, trade.firstId, trade.lastId, isValid);
    if (isOlder) this.#reachBack = plusReach(this.#reachBack, trade);
    if (!isValid) return;
    const sum = trade.isBuyerMaker ? this.#sell : this.#buy;
    sum.addBig(parseDecimal(trade.qty, QTY_SCALE));
  }

  #refuseWhenDone(): void {
    if (this.#done)
      throw new CdvaultError(
        'INTERNAL',
        `the run of ${isoHour(this.#hourMs)} has ended and accepts no more rows`,
      );
  }
}

function checkIds(page: readonly AggTrade[], expectedId: number, hourMs: number): void {
  let lowestId = expectedId;
  for (const { aggId } of page) {
    if (aggId < lowestId) throw lowId(aggId, lowestId, expectedId, hourMs);
    lowestId = aggId + 1;
  }
}

function lowId(id: number, lowestId: number, expectedId: number, hourMs: number): CdvaultError {
  return new CdvaultError(
    'EXCHANGE_BAD_PAGE',
    `a page of ${isoHour(hourMs)} requested from id ${expectedId} contains id ${id} where ${lowestId} or a later one is expected`,
  );
}
