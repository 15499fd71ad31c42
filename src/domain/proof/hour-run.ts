/** What is said to the judge of one hour's run of ids, and what it says: see continuity.ts. */

import type { AggTrade } from '../trade/agg-trade.ts';
import type { ForeignRow } from './foreign-rows.ts';
import type { Jumps } from './jumps.ts';
import type { Neighbour, ReachBack } from './ledger.ts';
import type { TradeBlock } from '../trade/trade-block.ts';

/** Keys of a run's rows, as two columns: an hour may have 100,000 of them. */
export interface RunKeys {
  readonly ids: number[];
  readonly timesUs: number[];
}

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
  /** Rows that are older than the hour; their time lies in the hour before it. */
  readonly reachBack: ReachBack;
  /** Silences as of a halted market, that behind the last row included. */
  readonly halts: Jumps | undefined;
  /** Where raw trade ids don't go on between two valid rows, the trade behind the run included. */
  readonly rawIdGaps: Jumps | undefined;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

/** Ids that were not given, or given only by a row with a wrong date; half-open. */
export interface IdHole {
  readonly fromId: number;
  readonly toId: number;
  readonly foreign?: ForeignRow;
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
   * @param mayGoOn whether more rows may follow: a row near its end that only those can tell from one with
   *   a wrong date is left to the next page
   * @throws CdvaultError EXCHANGE_BAD_PAGE when an id is lower than expected, or repeats (withoutRepeats() first)
   */
  accept(page: readonly AggTrade[], mayGoOn?: boolean): AcceptedPage;
  /**
   * The same for the rows of a block from one on, those with a wrong date left out (ForeignRows). A block
   * without rows says nothing: no run ends by it.
   */
  acceptBlock(block: TradeBlock, from: number): AcceptedBlock;
  /**
   * Takes rows that the store holds already, tombstones left out, ascending by id. Only those that go
   * on without a hole from `nextId` are taken, and returned; fetching goes on behind them.
   */
  prime(stored: readonly AggTrade[]): readonly AggTrade[];
}
