/**
 * The judge of one hour's run of ids. The hours of a series divide its ids without a rest: an hour's
 * run starts at the first id whose time has reached the hour's start and ends before the first id
 * whose time has reached its end. Both borders follow from the trades alone, so any page size, any
 * resumption and any order of hours give the same run, and no trade belongs to two hours. A row whose
 * time runs backwards across a border stays in the run in which its id lies, and is counted.
 */

import { type AggTrade, isInvalid } from './agg-trade.ts';
import { ExactSum, parseDecimal, QTY_SCALE } from './decimal.ts';
import { CdvaultError } from './errors.ts';
import { DAY_MS, HOUR_MS, isoHour } from './hour.ts';
import { type Jumps, JumpWatch } from './jumps.ts';
import { type Neighbour, neighbourOf } from './ledger.ts';
import { QTY_FIELD, type TradeBlock } from './trade-block.ts';

/**
 * How far before its run's hour a row is looked for whose time runs backwards. Nobody says how far
 * times may run back; the cases that are known stay far below.
 */
export const BACKWARD_SEARCH_MS = DAY_MS;

/** Facts of a run so far, in the shape in which the ledger keeps them. */
export interface RunFacts {
  /** Rows of the run, invalid ones included. */
  readonly rows: number;
  readonly first: Neighbour | undefined;
  readonly last: Neighbour | undefined;
  readonly prev: Neighbour | undefined;
  readonly next: Neighbour | undefined;
  readonly invalidRows: number;
  /** Rows whose time lies outside the hour or before that of the row before them. */
  readonly backwardRows: number;
  /** Silences as of a halted market, that behind the last row included. */
  readonly halts: Jumps | undefined;
  /** Where raw trade ids don't go on between two valid rows, the trade behind the run included. */
  readonly rawIdGaps: Jumps | undefined;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

/** Ids that were not given; half-open. */
export interface IdHole {
  readonly fromId: number;
  readonly toId: number;
}

export interface AcceptedPage {
  /** Rows of the page that belong to the run, ascending. */
  readonly kept: readonly AggTrade[];
  /** Ids that the exchange left out before or inside the run, or just before the trade after it. */
  readonly holes: readonly IdHole[];
  /** True once the trade after the run is known, or an empty page said that there is none yet. */
  readonly done: boolean;
  /** The id to ask for next; once done, where the next hour's run starts. */
  readonly nextId: number;
}

/** The same of a block, of which the run keeps the rows `[from, to)`. */
export interface AcceptedBlock extends Omit<AcceptedPage, 'kept'> {
  readonly from: number;
  readonly to: number;
}

export interface RunStart {
  /** The id that the first page was asked to start at. */
  readonly expectedId: number;
  /** The trade before `expectedId`, when it is known already. */
  readonly prev?: Neighbour;
}

export interface HourRun {
  readonly facts: RunFacts;
  readonly done: boolean;
  readonly nextId: number;
  /**
   * Judges one page as the exchange gave it. A page that is refused changes nothing: ask again.
   * @throws CdvaultError EXCHANGE_BAD_PAGE when an id is lower than expected, or repeats (withoutRepeats() first)
   */
  accept(page: readonly AggTrade[]): AcceptedPage;
  /** The same for the rows of a block from one on. A block without rows says nothing: no run ends by it. */
  acceptBlock(block: TradeBlock, from: number): AcceptedBlock;
  /**
   * Takes rows that the store holds already, tombstones left out, ascending by id. Only those that go
   * on without a hole from `nextId` are taken, and returned; fetching goes on behind them.
   */
  prime(stored: readonly AggTrade[]): readonly AggTrade[];
}

const BEFORE = -1;
const INSIDE = 0;
const AFTER = 1;
/** Of a row beside the hour, as far as the run decides it. */
type Place = typeof BEFORE | typeof INSIDE | typeof AFTER;

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
  #prev: Neighbour | undefined;
  #next: Neighbour | undefined;
  #invalidRows = 0;
  #backwardRows = 0;
  readonly #jumps = new JumpWatch();
  readonly #buy = new ExactSum();
  readonly #sell = new ExactSum();

  constructor(hourMs: number, start: RunStart) {
    this.#hourMs = hourMs;
    this.#startUs = hourMs * 1000;
    this.#endUs = (hourMs + HOUR_MS) * 1000;
    this.#nextId = start.expectedId;
    this.#prev = start.prev;
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
      halts: this.#jumps.haltsSince(Math.min(this.#prev?.timeUs ?? Infinity, this.#startUs)),
      rawIdGaps: this.#jumps.rawIdGaps,
      buyE8: this.#buy.value,
      sellE8: this.#sell.value,
    };
  }

  accept(page: readonly AggTrade[]): AcceptedPage {
    this.#refuseWhenDone();
    checkIds(page, this.#nextId, this.#hourMs);
    const kept: AggTrade[] = [];
    const holes: IdHole[] = [];
    for (const trade of page) {
      if (trade.aggId > this.#nextId) holes.push({ fromId: this.#nextId, toId: trade.aggId });
      this.#nextId = trade.aggId + 1;
      const place = this.#place(trade.timeUs);
      if (place === BEFORE) this.#prev = neighbourOf(trade);
      else if (place === AFTER) {
        this.#end(trade.aggId, trade.timeUs, trade.firstId, trade.lastId, !isInvalid(trade));
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
      if (aggId !== this.#nextId) {
        if (aggId < this.#nextId) throw lowId(aggId, this.#nextId, this.#nextId, this.#hourMs);
        holes.push({ fromId: this.#nextId, toId: aggId });
      }
      this.#nextId = aggId + 1;
      const isValid = valids[row] === 1;
      const place = this.#place(timeUs);
      if (place === BEFORE) {
        this.#prev = { id: aggId, timeUs };
        keptFrom = row + 1;
      } else if (place === AFTER) {
        this.#end(aggId, timeUs, firstIds[row] ?? 0, lastIds[row] ?? 0, isValid);
        break;
      } else {
        this.#take(aggId, timeUs, firstIds[row] ?? 0, lastIds[row] ?? 0, isValid);
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
    if (timeUs >= this.#endUs) return AFTER;
    return this.#rows === 0 && timeUs < this.#startUs ? BEFORE : INSIDE;
  }

  #last(): Neighbour | undefined {
    return this.#rows === 0 ? undefined : { id: this.#lastId, timeUs: this.#lastUs };
  }

  #end(id: number, timeUs: number, firstId: number, lastId: number, isValid: boolean): void {
    if (this.#rows > 0) this.#jumps.see(id, timeUs, firstId, lastId, isValid);
    this.#next = { id, timeUs };
    this.#nextId = id;
    this.#done = true;
  }

  #take(id: number, timeUs: number, firstId: number, lastId: number, isValid: boolean): void {
    this.#jumps.see(id, timeUs, firstId, lastId, isValid);
    // Rows at or behind the hour's end are never taken, so only an early time can lie outside it.
    if (timeUs < this.#startUs || timeUs < this.#lastUs) this.#backwardRows += 1;
    if (this.#rows === 0) this.#first = { id, timeUs };
    this.#lastId = id;
    this.#lastUs = timeUs;
    this.#rows += 1;
    if (!isValid) this.#invalidRows += 1;
  }

  #takeTrade(trade: AggTrade): void {
    const isValid = !isInvalid(trade);
    this.#take(trade.aggId, trade.timeUs, trade.firstId, trade.lastId, isValid);
    if (!isValid) return;
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
