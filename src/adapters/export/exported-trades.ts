import {
  EXACT_NUMBER,
  newStoredTrades,
  type StoredTrades,
} from '../../domain/trade/stored-trades.ts';
import { TRADE_COLUMNS } from '../../domain/proof/export.ts';
import { type Column, readColumns, unitsOf } from './parquet-columns.ts';

/** Enough for any line: four integers, two decimals of 28 digits, a time and a flag. */
const LINE_BYTES = 160;

const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const LINE_FEED = 10;

/** Digits are written in groups below this, because divisions of small integers are fast. */
const GROUP = 1e9;
const GROUP_DIGITS = 9;

/**
 * The trades of an exported file with their canonical lines, one batch for each row group.
 * @throws Error when the file is not an export of trades
 */
export async function* exportedTrades(file: string): AsyncGenerator<StoredTrades> {
  // New columns for each batch would leave 170 MB a day to the garbage collector.
  let trades = newStoredTrades(0, 0);
  for await (const columns of readColumns({ file, names: TRADE_COLUMNS })) {
    const rows = columns[0]?.length ?? 0;
    if (trades.aggIds.length < rows) trades = newStoredTrades(rows, rows * LINE_BYTES);
    yield filled(trades, columns, rows);
  }
}

function filled(trades: StoredTrades, columns: readonly Column[], rows: number): StoredTrades {
  const [ts, aggId, price, qty, firstId, lastId, isBuyerMaker] = columns;
  const lines = new Lines(trades.lines);
  for (let row = 0; row < rows; row += 1) {
    trades.lineAt[row] = lines.length;
    trades.aggIds[row] = lines.integer(Number(aggId?.[row]));
    const priceE8 = lines.decimal(price?.[row]);
    const qtyE8 = lines.decimal(qty?.[row]);
    const first = lines.integer(Number(firstId?.[row]));
    trades.pricesE8[row] = priceE8;
    trades.qtysE8[row] = qtyE8;
    trades.firstIds[row] = first;
    trades.lastIds[row] = lines.integer(Number(lastId?.[row]));
    trades.timesUs[row] = lines.integer(Number(ts?.[row]));
    trades.makers[row] = lines.end(isBuyerMaker?.[row] === true);
    trades.valids[row] = first >= 0 && priceE8 > 0 && qtyE8 > 0 ? 1 : 0;
  }
  trades.lineAt[rows] = lines.length;
  return { ...trades, rows };
}

/** Writes fields of canonical lines, each with the comma after it. */
class Lines {
  readonly #bytes: Uint8Array;
  length = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  integer(value: number): number {
    if (value < 0) {
      this.#byte(MINUS);
      this.#digits(-value);
    } else {
      this.#digits(value);
    }
    this.#byte(COMMA);
    return value;
  }

  /** @returns units of 1e-8; Infinity beyond 2^53 */
  decimal(value: unknown): number {
    const units = value instanceof Uint8Array ? smallUnits(value) : Infinity;
    if (units < EXACT_NUMBER) return this.integer(units);
    const exact = unitsOf(value);
    if (exact < BigInt(EXACT_NUMBER)) return this.integer(Number(exact));
    for (const digit of exact.toString()) this.#byte(digit.charCodeAt(0));
    this.#byte(COMMA);
    return Infinity;
  }

  end(isBuyerMaker: boolean): 0 | 1 {
    const flag = isBuyerMaker ? 1 : 0;
    this.#byte(ZERO + flag);
    this.#byte(LINE_FEED);
    return flag;
  }

  #digits(value: number): void {
    if (value < GROUP) {
      this.#group(value, 1);
      return;
    }
    const high = Math.floor(value / GROUP);
    this.#digits(high);
    this.#group(value - high * GROUP, GROUP_DIGITS);
  }

  /** @param least number of digits, with zeros in front */
  #group(value: number, least: number): void {
    let digits = least;
    for (let bound = 10 ** least; value >= bound; bound *= 10) digits += 1;
    let rest = value | 0;
    for (let at = this.length + digits - 1; at >= this.length; at -= 1) {
      const tens = (rest / 10) | 0;
      this.#bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.length += digits;
  }

  #byte(byte: number): void {
    this.#bytes[this.length] = byte;
    this.length += 1;
  }
}

/** The value of a decimal's bytes as a number; Infinity when it is negative or may be too large for one. */
function smallUnits(bytes: Uint8Array): number {
  let value = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    value = value * 256 + (bytes[at] ?? 0);
    if (value >= EXACT_NUMBER) return Infinity;
  }
  return value;
}
