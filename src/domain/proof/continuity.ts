/**
 * The judge of one hour's run of ids. The hours of a series divide its ids without a rest: an hour's
 * run starts at the first id whose time has reached the hour's start and ends before the first id
 * whose time has reached its end. Both borders follow from the trades alone, so any page size, any
 * resumption and any order of hours give the same run, and no trade belongs to two hours. A row whose
 * time runs backwards across a border stays in the run in which its id lies, and is counted. A row that
 * is further off (foreign-rows.ts) is left out, and its id is missing.
 */

import { type AggTrade, isInvalid } from '../trade/agg-trade.ts';
import { ExactSum, parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import { CdvaultError } from '../errors.ts';
import { isTooEarly, lookAhead, needsLookahead } from './foreign-rows.ts';
import { HOUR_MS, isoHour } from '../time/hour.ts';
import { JumpWatch, type SeenRow } from './jumps.ts';
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
/** Of a row beside the hour, as far as the run decides it. */
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
  /** Of all rows so far, the one before the run included. */
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
        this.#end(seen(trade));
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
        // Cut out of a month it may lie far behind the day's own ids, which then go on before it.
        if (row > keptFrom) break;
        keptFrom = row + 1;
        continue;
      }
      if (aggId !== this.#nextId) {
        if (aggId < this.#nextId) throw lowId(aggId, this.#nextId, this.#nextId, this.#hourMs);
        holes.push({ fromId: this.#nextId, toId: aggId });
      }
      this.#nextId = aggId + 1;
      const firstId = firstIds[row] ?? 0;
      const lastId = lastIds[row] ?? 0;
      const isValid = valids[row] === 1;
      if (place === BEFORE) {
        this.#before(aggId, timeUs);
        keptFrom = row + 1;
      } else if (place === AFTER) {
        this.#end({ id: aggId, timeUs, firstId, lastId, isValid });
        break;
      } else {
        if (this.#take({ id: aggId, timeUs, firstId, lastId, isValid }))
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

  /** @returns undefined when only the next page can tell */
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

  #foreign(id: number, timeUs: number, behind: AggTrade | undefined): IdHole {
    const amongUs = this.#latestUs ?? behind?.timeUs;
    return { fromId: id, toId: id + 1, foreign: { id, timeUs, amongUs } };
  }

  #before(id: number, timeUs: number): void {
    this.#prev = { id, timeUs };
    this.#latestUs = Math.max(this.#latestUs ?? timeUs, timeUs);
  }

  #last(): Neighbour | undefined {
    return this.#rows === 0 ? undefined : { id: this.#lastId, timeUs: this.#lastUs };
  }

  #end(row: SeenRow): void {
    const { id, timeUs } = row;
    if (this.#rows > 0) this.#jumps.see(row);
    this.#next = { id, timeUs };
    this.#nextId = id;
    this.#done = true;
  }

  /** @returns whether the row is older than the hour */
  #take(row: SeenRow): boolean {
    const { id, timeUs, isValid } = row;
    this.#jumps.see(row);
    // Rows at or behind the hour's end are never taken, so only an early time can lie outside it.
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
    const row = seen(trade);
    if (this.#take(row)) this.#reachBack = plusReach(this.#reachBack, trade);
    if (!row.isValid) return;
    const sum = trade.isBuyerMaker ? this.#sell : this.#buy;
    sum.addBig(parseDecimal(trade.qty, QTY_SCALE));
  }

  #refuseWhenDone(): void {
    if (this.#done)
      throw new CdvaultError(
        'INTERNAL',
        `the run of ${isoHour(this.#hourMs)} has ended; it takes no more rows`,
      );
  }
}

function seen(trade: AggTrade): SeenRow {
  const { aggId: id, timeUs, firstId, lastId } = trade;
  return { id, timeUs, firstId, lastId, isValid: !isInvalid(trade) };
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
    `a page of ${isoHour(hourMs)} asked from id ${expectedId} holds id ${id} where ${lowestId} or later belongs`,
  );
}
