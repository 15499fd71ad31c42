import type { AggTrade } from './agg-trade.ts';

/**
 * Fields of a row of an archive file, in the file's order. They are separate constants for speed: when
 * the parsing loop reads them from an object, V8 (Node.js 24) deoptimizes again and again, and the loop
 * takes four times as long.
 */
export const AGG_ID_FIELD = 0;
export const PRICE_FIELD = 1;
export const QTY_FIELD = 2;
export const FIRST_ID_FIELD = 3;
export const LAST_ID_FIELD = 4;
export const TIME_FIELD = 5;
export const MAKER_FIELD = 6;

/** Number of fields of a row. */
export const FIELD_COUNT = 7;

/** Columns of a block: where each field starts, and one column for each field that is a number or a flag. */
export type Columns = ReturnType<typeof newColumns>;

export function newColumns(rows: number) {
  return {
    fieldAt: new Int32Array(rows * FIELD_COUNT),
    aggIds: new Float64Array(rows),
    firstIds: new Float64Array(rows),
    lastIds: new Float64Array(rows),
    timesUs: new Float64Array(rows),
    pricesE8: new Float64Array(rows),
    qtysE8: new Float64Array(rows),
    makers: new Uint8Array(rows),
    valids: new Uint8Array(rows),
  };
}

const NUMBER_COLUMNS = [
  'aggIds',
  'firstIds',
  'lastIds',
  'timesUs',
  'pricesE8',
  'qtysE8',
  'makers',
  'valids',
] as const;

interface BlockParts {
  readonly rows: number;
  /** ASCII. Numbers have no sign (except -1) and no exponent; integers have no leading zeros. */
  readonly text: Uint8Array;
  /** Where each field of each row starts in `text`; all but a row's last end one byte before the next one. */
  readonly fieldAt: Int32Array;
  /** Zeros to append to the time's text to get microseconds: three when the file has milliseconds. */
  readonly timeZeros: 0 | 3;
  readonly aggIds: Float64Array;
  readonly firstIds: Float64Array;
  readonly lastIds: Float64Array;
  readonly timesUs: Float64Array;
  /** Units of 1e-8; Infinity when that is beyond 2^53, so that the text must be parsed. */
  readonly pricesE8: Float64Array;
  readonly qtysE8: Float64Array;
  /** 1 where the taker sold. */
  readonly makers: Uint8Array;
  /** 0 where the exchange has marked the row invalid, by the rule of isInvalid(). */
  readonly valids: Uint8Array;
}

/**
 * Many trades as columns over the text that they were read from. A day of the busiest symbol has a
 * million trades: as objects with strings they would take four times as long (measured). The digits of
 * the text are copied instead of formatting the numbers again.
 */
export class TradeBlock {
  readonly rows: number;
  readonly aggIds: Float64Array;
  readonly firstIds: Float64Array;
  readonly lastIds: Float64Array;
  readonly timesUs: Float64Array;
  readonly pricesE8: Float64Array;
  readonly qtysE8: Float64Array;
  readonly makers: Uint8Array;
  readonly valids: Uint8Array;
  readonly timeZeros: 0 | 3;
  readonly #text: Uint8Array;
  readonly #fieldAt: Int32Array;

  constructor(parts: BlockParts) {
    this.rows = parts.rows;
    this.aggIds = parts.aggIds;
    this.firstIds = parts.firstIds;
    this.lastIds = parts.lastIds;
    this.timesUs = parts.timesUs;
    this.pricesE8 = parts.pricesE8;
    this.qtysE8 = parts.qtysE8;
    this.makers = parts.makers;
    this.valids = parts.valids;
    this.timeZeros = parts.timeZeros;
    this.#text = parts.text;
    this.#fieldAt = parts.fieldAt.subarray(0, parts.rows * FIELD_COUNT);
  }

  /** Rows `[from, to)` as a new block over the same text. */
  slice(from: number, to: number): TradeBlock {
    return new TradeBlock({
      rows: to - from,
      text: this.#text,
      fieldAt: this.#fieldAt.subarray(from * FIELD_COUNT, to * FIELD_COUNT),
      timeZeros: this.timeZeros,
      aggIds: this.aggIds.subarray(from, to),
      firstIds: this.firstIds.subarray(from, to),
      lastIds: this.lastIds.subarray(from, to),
      timesUs: this.timesUs.subarray(from, to),
      pricesE8: this.pricesE8.subarray(from, to),
      qtysE8: this.qtysE8.subarray(from, to),
      makers: this.makers.subarray(from, to),
      valids: this.valids.subarray(from, to),
    });
  }

  /** Copies rows of one file into new memory, so that they stay valid after the blocks they came in. */
  static join(blocks: readonly TradeBlock[]): TradeBlock {
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    const joined = {
      rows,
      text: new Uint8Array(blocks.reduce((sum, block) => sum + block.#textBytes().length, 0)),
      timeZeros: blocks.at(-1)?.timeZeros ?? 0,
      ...newColumns(rows),
    };
    let [row, at] = [0, 0];
    for (const block of blocks) {
      const text = block.#textBytes();
      const shift = at - (block.#fieldAt[0] ?? 0);
      joined.text.set(text, at);
      joined.fieldAt.set(
        block.#fieldAt.map((place) => place + shift),
        row * FIELD_COUNT,
      );
      for (const column of NUMBER_COLUMNS) joined[column].set(block[column], row);
      row += block.rows;
      at += text.length;
    }
    return new TradeBlock(joined);
  }

  trade(row: number): AggTrade {
    return {
      aggId: this.aggIds[row] ?? 0,
      price: this.fieldText(row, PRICE_FIELD),
      qty: this.fieldText(row, QTY_FIELD),
      firstId: this.firstIds[row] ?? 0,
      lastId: this.lastIds[row] ?? 0,
      timeUs: this.timesUs[row] ?? 0,
      isBuyerMaker: this.makers[row] === 1,
    };
  }

  /** Rows `[from, to)` as objects. */
  trades(from: number, to: number): AggTrade[] {
    return Array.from({ length: to - from }, (_, index) => this.trade(from + index));
  }

  fieldText(row: number, field: number): string {
    let text = '';
    const end = this.#endOf(row, field);
    for (let at = this.#fieldAt[row * FIELD_COUNT + field] ?? 0; at < end; at += 1)
      text += String.fromCharCode(this.#text[at] ?? 0);
    return text;
  }

  /** Copies a field's bytes; none is longer than 40. @returns where they end in `target` */
  copyField(row: number, field: number, target: Uint8Array, targetAt: number): number {
    const text = this.#text;
    const end = this.#endOf(row, field);
    let to = targetAt;
    for (let at = this.#fieldAt[row * FIELD_COUNT + field] ?? 0; at < end; at += 1) {
      target[to] = text[at] ?? 0;
      to += 1;
    }
    return to;
  }

  /** The same as copyField() for the time, in microseconds. */
  copyTimeUs(row: number, target: Uint8Array, targetAt: number): number {
    let to = this.copyField(row, TIME_FIELD, target, targetAt);
    for (let zeros = this.timeZeros; zeros > 0; zeros -= 1) {
      target[to] = ZERO;
      to += 1;
    }
    return to;
  }

  /** Writes the row's canonicalLine(); none is longer than 200 bytes. @returns where it ends */
  copyCanonical(row: number, target: Uint8Array, targetAt: number): number {
    let to = this.copyField(row, AGG_ID_FIELD, target, targetAt);
    target[to] = COMMA;
    to = this.#copyE8(row, PRICE_FIELD, target, to + 1);
    target[to] = COMMA;
    to = this.#copyE8(row, QTY_FIELD, target, to + 1);
    target[to] = COMMA;
    to = this.copyField(row, FIRST_ID_FIELD, target, to + 1);
    target[to] = COMMA;
    to = this.copyField(row, LAST_ID_FIELD, target, to + 1);
    target[to] = COMMA;
    to = this.copyTimeUs(row, target, to + 1);
    target[to] = COMMA;
    target[to + 1] = ZERO + (this.makers[row] ?? 0);
    target[to + 2] = LINE_FEED;
    return to + 3;
  }

  /** A decimal as an integer in units of 1e-8, without leading zeros. */
  #copyE8(row: number, field: number, target: Uint8Array, targetAt: number): number {
    const text = this.#text;
    const end = this.#endOf(row, field);
    let to = targetAt;
    let places = -1;
    for (let at = this.#fieldAt[row * FIELD_COUNT + field] ?? 0; at < end; at += 1) {
      const byte = text[at] ?? 0;
      if (byte === DOT) {
        places = 0;
        continue;
      }
      if (places >= 0) places += 1;
      if (byte === ZERO && to === targetAt) continue;
      target[to] = byte;
      to += 1;
    }
    if (to === targetAt) {
      target[to] = ZERO;
      return to + 1;
    }
    for (let missing = 8 - Math.max(0, places); missing > 0; missing -= 1) {
      target[to] = ZERO;
      to += 1;
    }
    return to;
  }

  /** From the first row's first field to the end of the last row's time. */
  #textBytes(): Uint8Array {
    const start = this.#fieldAt[0] ?? 0;
    return this.#text.subarray(start, this.#fieldAt.at(-1) ?? start);
  }

  #endOf(row: number, field: number): number {
    return (this.#fieldAt[row * FIELD_COUNT + field + 1] ?? 0) - 1;
  }
}

const ZERO = 48;
const COMMA = 44;
const DOT = 46;
const LINE_FEED = 10;
