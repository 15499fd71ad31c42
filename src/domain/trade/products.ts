import { LIMB, type LimbPair } from './limbs.ts';

/** Half a limb: the product of two of these is exact as a number. */
const HALF = 1e7;

/** Two factors of up to four halves give seven columns; the others hold what is carried out of them. */
const PRODUCT_COLUMNS = 10;

/**
 * A product adds at most 4 × 1e14 to a column, and a column begins with less than 1e7 after a carry: so
 * many products are exact below 2^53.
 */
const PRODUCTS_UNTIL_CARRY = 20;

/** Exact sums of products of decimals, as columns of base 1e7 that are carried now and then. */
export class ProductSums {
  readonly #columns: Float64Array;
  readonly #since: Int32Array;

  /** @param count of sums, each with its own columns */
  constructor(count: number) {
    this.#columns = new Float64Array(count * PRODUCT_COLUMNS);
    this.#since = new Int32Array(count);
  }

  add(sum: number, left: LimbPair, right: LimbPair): void {
    const columns = this.#columns;
    const at = sum * PRODUCT_COLUMNS;
    const left1 = Math.floor(left.low / HALF);
    const left0 = left.low - left1 * HALF;
    const right1 = Math.floor(right.low / HALF);
    const right0 = right.low - right1 * HALF;
    columns[at] = (columns[at] ?? 0) + left0 * right0;
    columns[at + 1] = (columns[at + 1] ?? 0) + left0 * right1 + left1 * right0;
    columns[at + 2] = (columns[at + 2] ?? 0) + left1 * right1;
    if (left.high !== 0 || right.high !== 0) {
      const left3 = Math.floor(left.high / HALF);
      const left2 = left.high - left3 * HALF;
      const right3 = Math.floor(right.high / HALF);
      const right2 = right.high - right3 * HALF;
      columns[at + 2] = (columns[at + 2] ?? 0) + left0 * right2 + left2 * right0;
      columns[at + 3] =
        (columns[at + 3] ?? 0) +
        (left0 * right3 + left1 * right2) +
        (left2 * right1 + left3 * right0);
      columns[at + 4] = (columns[at + 4] ?? 0) + left1 * right3 + left2 * right2 + left3 * right1;
      columns[at + 5] = (columns[at + 5] ?? 0) + left2 * right3 + left3 * right2;
      columns[at + 6] = (columns[at + 6] ?? 0) + left3 * right3;
    }
    const since = (this.#since[sum] ?? 0) + 1;
    this.#since[sum] = since;
    if (since === PRODUCTS_UNTIL_CARRY) this.#carry(sum);
  }

  /** Whether a sum is at least `other`: columns from lowest to highest, carried. */
  reaches(sum: number, other: Float64Array): boolean {
    this.#carry(sum);
    const at = sum * PRODUCT_COLUMNS;
    for (let column = PRODUCT_COLUMNS - 1; column >= 0; column -= 1) {
      const difference = (this.#columns[at + column] ?? 0) - (other[column] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return true;
  }

  /** Returns a sum and starts it again at 0. */
  take(sum: number): bigint {
    this.#carry(sum);
    const at = sum * PRODUCT_COLUMNS;
    let value = 0n;
    for (let column = PRODUCT_COLUMNS - 2; column >= 0; column -= 2) {
      const pair = (this.#columns[at + column] ?? 0) + (this.#columns[at + column + 1] ?? 0) * HALF;
      if (value !== 0n || pair !== 0) value = value * BIG_PAIR + BigInt(pair);
    }
    this.clear(sum);
    return value;
  }

  clear(sum: number): void {
    const at = sum * PRODUCT_COLUMNS;
    for (let column = 0; column < PRODUCT_COLUMNS; column += 1) this.#columns[at + column] = 0;
    this.#since[sum] = 0;
  }

  #carry(sum: number): void {
    const at = sum * PRODUCT_COLUMNS;
    let carry = 0;
    for (let column = 0; column < PRODUCT_COLUMNS; column += 1) {
      const value = (this.#columns[at + column] ?? 0) + carry;
      carry = Math.floor(value / HALF);
      this.#columns[at + column] = value - carry * HALF;
    }
    this.#since[sum] = 0;
  }
}

const BIG_PAIR = BigInt(LIMB);

/** A whole number as columns of ProductSums. */
export function columnsOf(value: bigint): Float64Array {
  const columns = new Float64Array(PRODUCT_COLUMNS);
  let rest = value;
  for (let column = 0; column < PRODUCT_COLUMNS; column += 1) {
    columns[column] = Number(rest % BigInt(HALF));
    rest /= BigInt(HALF);
  }
  return columns;
}
