/** What was bought and sold in each price bin of each bar. */

import type { FootprintAnswer } from '../data/answers.ts';

export interface Cell {
  readonly price: number;
  readonly buy: number;
  readonly sell: number;
}

export interface FootprintCells {
  readonly bin: number;
  /** By the start of their bar; ascending by price. */
  readonly byTime: ReadonlyMap<number, readonly Cell[]>;
}

/** A side is imbalanced when it is this many times the other side, one bin across. */
const IMBALANCE = 3;
export function cellsOf({ columns, bin }: FootprintAnswer): FootprintCells {
  const byTime = new Map<number, Cell[]>();
  for (const [index, timeMs] of columns.time.entries()) {
    const cells = byTime.get(timeMs) ?? [];
    byTime.set(timeMs, cells);
    cells.push({
      price: Number(columns.price[index]),
      buy: Number(columns.buy[index]),
      sell: Number(columns.sell[index]),
    });
  }
  return { bin: Number(bin), byTime };
}

/** Which sides of a cell are imbalanced, against the neighbours one bin below and above, if there are any. */
export function imbalance(cell: Cell, below: Cell | undefined, above: Cell | undefined) {
  return {
    buy: below !== undefined && cell.buy > 0 && cell.buy >= IMBALANCE * below.sell,
    sell: above !== undefined && cell.sell > 0 && cell.sell >= IMBALANCE * above.buy,
  };
}
