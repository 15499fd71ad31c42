// A Node builtin, allowed in the domain: hashing is arithmetic, not input or output.
import { createHash } from 'node:crypto';

/** Integers are exact as numbers below this. */
export const EXACT_NUMBER = 2 ** 53;

/**
 * Trades as columns, with the canonical lines of canonicalLine() that are hashed. A day of the busiest
 * symbol has a million trades: as objects they would take ten times the memory. Only the first `rows`
 * entries count, and the one who gives a batch may overwrite it with the next one.
 */
export interface StoredTrades {
  readonly rows: number;
  readonly aggIds: Float64Array;
  readonly firstIds: Float64Array;
  readonly lastIds: Float64Array;
  readonly timesUs: Float64Array;
  /** Units of 1e-8; Infinity beyond 2^53: priceE8() and qtyE8() then read the line. */
  readonly pricesE8: Float64Array;
  readonly qtysE8: Float64Array;
  /** 1 where the taker sold. */
  readonly makers: Uint8Array;
  /** 0 where the exchange has marked the row invalid, by the rule of isInvalid(). */
  readonly valids: Uint8Array;
  /** The lines of all rows, one after the other. */
  readonly lines: Uint8Array;
  /** Where each row's line starts in `lines`; one entry more for the end of the last one. */
  readonly lineAt: Int32Array;
}

/** Columns that can be filled. */
export function newStoredTrades(rows: number, lineBytes: number): StoredTrades {
  return {
    rows: 0,
    aggIds: new Float64Array(rows),
    firstIds: new Float64Array(rows),
    lastIds: new Float64Array(rows),
    timesUs: new Float64Array(rows),
    pricesE8: new Float64Array(rows),
    qtysE8: new Float64Array(rows),
    makers: new Uint8Array(rows),
    valids: new Uint8Array(rows),
    lines: new Uint8Array(lineBytes),
    lineAt: new Int32Array(rows + 1),
  };
}

const PRICE_FIELD = 1;
const QTY_FIELD = 2;

export function priceE8(trades: StoredTrades, row: number): bigint {
  return unitsOf(trades, row, trades.pricesE8[row] ?? 0, PRICE_FIELD);
}

export function qtyE8(trades: StoredTrades, row: number): bigint {
  return unitsOf(trades, row, trades.qtysE8[row] ?? 0, QTY_FIELD);
}

function unitsOf(trades: StoredTrades, row: number, units: number, field: number): bigint {
  if (units < EXACT_NUMBER) return BigInt(units);
  const line = lineOf(trades, row);
  return BigInt(new TextDecoder().decode(line).split(',')[field] ?? '');
}

/** The canonical line of one row, valid as long as the batch. */
export function lineOf({ lines, lineAt }: StoredTrades, row: number): Uint8Array {
  return lines.subarray(lineAt[row], lineAt[row + 1]);
}

/** The content hash of an hour, as contentHasher() computes it, from lines that exist already. */
export class LineHasher {
  readonly #hash = createHash('sha256');

  /** Rows `[from, to)`, in id order over all calls. */
  update({ lines, lineAt }: StoredTrades, from: number, to: number): void {
    this.#hash.update(lines.subarray(lineAt[from], lineAt[to]));
  }

  line(line: Uint8Array): void {
    this.#hash.update(line);
  }

  /** Hex; ends the hash. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
