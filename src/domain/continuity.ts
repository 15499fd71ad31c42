/**
 * The judge of one hour's run of ids. The hours of a series divide its ids without a rest: an hour's
 * run starts at the first id whose time has reached the hour's start and ends before the first id
 * whose time has reached its end. Both borders follow from the trades alone, so any page size, any
 * resumption and any order of hours give the same run, and no trade belongs to two hours. A row whose
 * time runs backwards across a border stays in the run in which its id lies, and is counted.
 */

import { type AggTrade, isInvalid } from './agg-trade.ts';
import { parseDecimal, QTY_SCALE } from './decimal.ts';
import { CdvaultError } from './errors.ts';
import { DAY_MS, HOUR_MS, isoHour } from './hour.ts';
import { type Jumps, JumpWatch } from './jumps.ts';
import type { Neighbour } from './ledger.ts';

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
  /**
   * Takes rows that the store holds already, tombstones left out, ascending by id. Only those that go
   * on without a hole from `nextId` are taken, and returned; fetching goes on behind them.
   */
  prime(stored: readonly AggTrade[]): readonly AggTrade[];
}

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
  #last: Neighbour | undefined;
  #prev: Neighbour | undefined;
  #next: Neighbour | undefined;
  #invalidRows = 0;
  #backwardRows = 0;
  readonly #jumps = new JumpWatch();
  #buyE8 = 0n;
  #sellE8 = 0n;

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
      last: this.#last,
      prev: this.#prev,
      next: this.#next,
      invalidRows: this.#invalidRows,
      backwardRows: this.#backwardRows,
      halts: this.#jumps.haltsSince(Math.min(this.#prev?.timeUs ?? Infinity, this.#startUs)),
      rawIdGaps: this.#jumps.rawIdGaps,
      buyE8: this.#buyE8,
      sellE8: this.#sellE8,
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
      const place = this.#place(trade);
      if (place === 'before') this.#prev = neighbour(trade);
      else if (place === 'after') return this.#end(trade, kept, holes);
      else {
        this.#take(trade);
        kept.push(trade);
      }
    }
    this.#done = page.length === 0;
    return { kept, holes, done: this.#done, nextId: this.#nextId };
  }

  prime(stored: readonly AggTrade[]): readonly AggTrade[] {
    this.#refuseWhenDone();
    const taken: AggTrade[] = [];
    for (const trade of stored) {
      if (trade.aggId < this.#nextId) continue;
      if (trade.aggId > this.#nextId || this.#place(trade) !== 'inside') break;
      this.#nextId = trade.aggId + 1;
      this.#take(trade);
      taken.push(trade);
    }
    return taken;
  }

  #place({ timeUs }: AggTrade): 'before' | 'inside' | 'after' {
    if (timeUs >= this.#endUs) return 'after';
    return this.#first === undefined && timeUs < this.#startUs ? 'before' : 'inside';
  }

  #end(next: AggTrade, kept: readonly AggTrade[], holes: readonly IdHole[]): AcceptedPage {
    if (this.#last !== undefined) this.#jumps.see(next);
    this.#next = neighbour(next);
    this.#nextId = next.aggId;
    this.#done = true;
    return { kept, holes, done: true, nextId: this.#nextId };
  }

  #take(trade: AggTrade): void {
    const { timeUs } = trade;
    this.#jumps.see(trade);
    // Rows at or behind the hour's end are never taken, so only an early time can lie outside it.
    if (timeUs < this.#startUs || (this.#last !== undefined && timeUs < this.#last.timeUs))
      this.#backwardRows += 1;
    this.#last = neighbour(trade);
    this.#first ??= this.#last;
    this.#rows += 1;
    if (isInvalid(trade)) this.#invalidRows += 1;
    else if (trade.isBuyerMaker) this.#sellE8 += parseDecimal(trade.qty, QTY_SCALE);
    else this.#buyE8 += parseDecimal(trade.qty, QTY_SCALE);
  }

  #refuseWhenDone(): void {
    if (this.#done)
      throw new CdvaultError(
        'INTERNAL',
        `the run of ${isoHour(this.#hourMs)} has ended; it takes no more rows`,
      );
  }
}

function neighbour({ aggId, timeUs }: AggTrade): Neighbour {
  return { id: aggId, timeUs };
}

function checkIds(page: readonly AggTrade[], expectedId: number, hourMs: number): void {
  let lowestId = expectedId;
  for (const { aggId } of page) {
    if (aggId < lowestId) {
      throw new CdvaultError(
        'EXCHANGE_BAD_PAGE',
        `a page of ${isoHour(hourMs)} asked from id ${expectedId} holds id ${aggId} where ${lowestId} or later belongs`,
      );
    }
    lowestId = aggId + 1;
  }
}
