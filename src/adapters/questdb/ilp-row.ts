import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import {
  AGG_ID_FIELD,
  FIRST_ID_FIELD,
  LAST_ID_FIELD,
  PRICE_FIELD,
  QTY_FIELD,
  type TradeBlock,
} from '../../domain/trade/trade-block.ts';

/**
 * One trade as a line of QuestDB's line protocol, copied from the digits in the exchange's file: `d` marks a
 * decimal, `i` a LONG, `t` microseconds.
 */
export class IlpRow {
  readonly #head: Uint8Array;

  constructor(table: string) {
    this.#head = ascii(headOf(table));
  }

  /** The greatest length of a line. */
  get mostBytes(): number {
    return this.#head.length + FIELDS_BYTES;
  }

  /** @returns where the line ends in `target` */
  copy(block: TradeBlock, row: number, target: Uint8Array, targetAt: number): number {
    target.set(this.#head, targetAt);
    let at = targetAt + this.#head.length;
    at = block.copyField(row, AGG_ID_FIELD, target, at);
    at = copied(PRICE, target, at);
    at = block.copyField(row, PRICE_FIELD, target, at);
    at = copied(QTY, target, at);
    at = block.copyField(row, QTY_FIELD, target, at);
    at = copied(FIRST_ID, target, at);
    at = block.copyField(row, FIRST_ID_FIELD, target, at);
    at = copied(LAST_ID, target, at);
    at = block.copyField(row, LAST_ID_FIELD, target, at);
    at = copied(block.makers[row] === 1 ? MAKER : TAKER, target, at);
    at = block.copyTimeUs(row, target, at);
    return copied(END, target, at);
  }
}

const PRICE = ascii('i,price=');
const QTY = ascii('d,qty=');
const FIRST_ID = ascii('d,first_id=');
const LAST_ID = ascii('i,last_id=');
const MAKER = ascii('i,is_buyer_maker=t ');
const TAKER = ascii('i,is_buyer_maker=f ');
const END = ascii('t\n');

/** The greatest length of the names, four integers and two decimals. */
const FIELDS_BYTES = 260;

function copied(source: Uint8Array, target: Uint8Array, targetAt: number): number {
  for (let at = 0; at < source.length; at += 1) target[targetAt + at] = source[at] ?? 0;
  return targetAt + source.length;
}

/** The same lines from trades that are objects already: for small batches, where speed does not matter. */
export function ilpLines(table: string, trades: readonly AggTrade[]): string {
  const head = headOf(table);
  return trades
    .map(
      ({ aggId, price, qty, firstId, lastId, isBuyerMaker, timeUs }) =>
        `${head}${aggId}i,price=${price}d,qty=${qty}d,first_id=${firstId}i,last_id=${lastId}i,` +
        `is_buyer_maker=${isBuyerMaker ? 't' : 'f'} ${timeUs}t\n`,
    )
    .join('');
}

function headOf(table: string): string {
  return `${table} agg_id=`;
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
