/** Input and output types of the check of one hour's run of ids: see continuity.ts. */

import type { AggTrade } from '../trade/agg-trade.ts';
import type { ForeignRow } from './foreign-rows.ts';
import type { Jumps } from './jumps.ts';
import { type Neighbour, NO_REACH, type ReachBack } from './ledger.ts';
import type { TradeBlock } from '../trade/trade-block.ts';

/** Keys of a run's rows, as two columns: an hour may have 100,000 of them. */
export interface RunKeys {
  readonly ids: number[];
  readonly timesUs: number[];
}

/** Facts about a run so far, in the shape of the ledger. */
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
  /** Rows of the run whose time lies in the hour before. */
  readonly reachBack: ReachBack;
  /** Silences that look like a halted market, including the one after the last row. */
  readonly halts: Jumps | undefined;
  /** Places where raw trade ids are not consecutive between two valid rows, including the trade after the run. */
  readonly rawIdGaps: Jumps | undefined;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

/** Facts of an hour since whose start no trade has happened. */
export const NO_TRADES: RunFacts = {
  rows: 0,
  first: undefined,
  last: undefined,
  prev: undefined,
  next: undefined,
  invalidRows: 0,
  backwardRows: 0,
  reachBack: NO_REACH,
  halts: undefined,
  rawIdGaps: undefined,
  buyE8: 0n,
  sellE8: 0n,
};

/** Missing ids: no row has them, or only a row with a wrong date; half-open. */
export interface IdHole {
  readonly fromId: number;
  readonly toId: number;
  readonly foreign?: ForeignRow;
}

export interface AcceptedPage {
  /** Rows of the page that belong to the run, ascending. */
  readonly kept: readonly AggTrade[];
  /** Ids missing before or inside the run, or just before the trade after it. */
  readonly holes: readonly IdHole[];
  /** True once the trade after the run is known, or an empty page said that there is none yet. */
  readonly done: boolean;
  /** The id to ask for next; once done, where the next hour's run starts. */
  readonly nextId: number;
}

/** The same for a block; the run keeps its rows `[from, to)`. */
export interface AcceptedBlock extends Omit<AcceptedPage, 'kept'> {
  readonly from: number;
  readonly to: number;
}

export interface RunStart {
  /** The id from which the first page was requested. */
  readonly expectedId: number;
  /** The trade before `expectedId`, if it is known. */
  readonly prev?: Neighbour;
}

export interface HourRun {
  readonly facts: RunFacts;
  readonly done: boolean;
  readonly nextId: number;
  /**
   * Checks one page as received from the exchange. A page that is rejected changes nothing and can be
   * requested again.
   * @param mayGoOn whether more rows may follow. If so, a row near the page's end whose date can't be
   *   checked without the following rows is left to the next page
   * @throws CdvaultError EXCHANGE_BAD_PAGE when an id is lower than expected or repeats (call withoutRepeats() first)
   */
  accept(page: readonly AggTrade[], mayGoOn?: boolean): AcceptedPage;
  /**
   * The same for the rows of a block from `from` on, which must have passed ForeignRows. A block without
   * rows does not end the run.
   */
  acceptBlock(block: TradeBlock, from: number): AcceptedBlock;
  /**
   * Takes rows that are already stored: ascending by id, without tombstones. Only rows that continue from
   * `nextId` without a hole are taken, and returned; fetching continues after them.
   */
  prime(stored: readonly AggTrade[]): readonly AggTrade[];
}
