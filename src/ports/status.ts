import type { Series } from '../domain/market.ts';

/** The hours of the ledger in one cell of a strip of equal cells. */
export interface CoverageCell extends Series {
  /** Of the cell, counted from the start of the strip. */
  readonly index: number;
  readonly proven: number;
  readonly open: number;
  readonly gap: number;
}

/** What only the screen of the operator asks the store. */
export interface StoreLook {
  /** @param cellMs whole hours; cells without a ledger row are left out */
  coverageCells(fromMs: number, cellMs: number): Promise<readonly CoverageCell[]>;
  /** Bytes of the stored trades of each series on disk; it reads the size of every file. */
  tradeBytes(): Promise<readonly (Series & { readonly bytes: number })[]>;
}
