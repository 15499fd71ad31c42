/** What was bought and sold in each price bin of each bar. */

import { formatDecimal, parseDecimal, PRICE_SCALE } from '../../domain/trade/decimal.ts';
import type { FootprintAnswer, ProfileAnswer } from '../data/answers.ts';

/** Doubles, for drawing. */
export interface Cell {
  /** The lower edge. */
  readonly price: number;
  readonly buy: number;
  readonly sell: number;
  readonly texts: CellTexts;
}

/** Exact. */
export interface CellTexts {
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly buy: string;
  readonly sell: string;
}

type BinColumns = ProfileAnswer['columns'];

export interface FootprintCells {
  readonly bin: number;
  /** By the start of their bar; ascending by price. */
  readonly byTime: ReadonlyMap<number, readonly Cell[]>;
}

/** A side is imbalanced when it is this many times the other side, one bin across. */
const IMBALANCE = 3;

export function cellsOf({ columns, bin }: FootprintAnswer): FootprintCells {
  const byTime = Map.groupBy(rowsOf(columns, bin), (_, index) => columns.time[index] ?? 0);
  return { bin: Number(bin), byTime };
}

/** The rows of an answer, one for each price bin. */
export function rowsOf({ price, buy, sell }: BinColumns, bin: string): Cell[] {
  const width = parseDecimal(bin, PRICE_SCALE);
  return price.map((from, index) => {
    const to = formatDecimal(parseDecimal(from, PRICE_SCALE) + width, PRICE_SCALE);
    const texts = { from, to, buy: buy[index] ?? '', sell: sell[index] ?? '' };
    return { price: Number(from), buy: Number(texts.buy), sell: Number(texts.sell), texts };
  });
}

/** The cell that holds a price. */
export function cellAt(cells: readonly Cell[], bin: number, price: number): Cell | undefined {
  return cells.find((cell) => price >= cell.price && price < cell.price + bin);
}

type Sides = Pick<Cell, 'buy' | 'sell'>;

/** Which sides of a cell are imbalanced, against the neighbours one bin below and above, if there are any. */
export function imbalance(cell: Sides, below: Sides | undefined, above: Sides | undefined) {
  return {
    buy: below !== undefined && cell.buy > 0 && cell.buy >= IMBALANCE * below.sell,
    sell: above !== undefined && cell.sell > 0 && cell.sell >= IMBALANCE * above.buy,
  };
}
