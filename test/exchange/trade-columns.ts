import { lowerBound, type Trade, type TradeSeries } from './trade-series.ts';

const COMMA = 44;
const POINT = 46;
const MINUS = 45;
const NEWLINE = 10;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const UPPER_T = 84;
const LOWER_T = 116;
/** 1e14 is in 1973 as microseconds and in 5138 as milliseconds, so the size of a time shows its unit. */
const FIRST_MICROSECOND_VALUE = 1e14;
const DAY_US = 86_400_000_000;

/**
 * Trades in typed arrays, 49 bytes each. Prices and quantities are kept as whole part and eight decimals,
 * because one integer at 1e-8 leaves the exact range of doubles for coins that trade in billions.
 */
export class TradeColumns {
  #capacity: number;
  #count = 0;
  #id: Float64Array<ArrayBuffer>;
  #priceWhole: Float64Array<ArrayBuffer>;
  #priceFraction: Uint32Array<ArrayBuffer>;
  #qtyWhole: Float64Array<ArrayBuffer>;
  #qtyFraction: Uint32Array<ArrayBuffer>;
  #firstRaw: Float64Array<ArrayBuffer>;
  #lastRaw: Float64Array<ArrayBuffer>;
  #timeUs: Float64Array<ArrayBuffer>;
  #buyerIsMaker: Uint8Array<ArrayBuffer>;
  // State of the byte parser.
  #position = 0;
  #whole = 0;
  #fraction = 0;

  /** @param expectedRows avoids growing; it need not be exact */
  constructor(expectedRows: number) {
    this.#capacity = Math.max(1024, expectedRows);
    this.#id = new Float64Array(this.#capacity);
    this.#priceWhole = new Float64Array(this.#capacity);
    this.#priceFraction = new Uint32Array(this.#capacity);
    this.#qtyWhole = new Float64Array(this.#capacity);
    this.#qtyFraction = new Uint32Array(this.#capacity);
    this.#firstRaw = new Float64Array(this.#capacity);
    this.#lastRaw = new Float64Array(this.#capacity);
    this.#timeUs = new Float64Array(this.#capacity);
    this.#buyerIsMaker = new Uint8Array(this.#capacity);
  }

  get count(): number {
    return this.#count;
  }

  /** Parses whole lines of `bytes`; returns how many bytes they took. */
  addLines(bytes: Buffer, atFileStart: boolean): number {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    this.#position = 0;
    const first = bytes[0] ?? DIGIT_0;
    if (end === 0) return 0;
    if (atFileStart && (first < DIGIT_0 || first > DIGIT_9))
      this.#position = bytes.indexOf(NEWLINE) + 1;
    while (this.#position < end) {
      if (this.#count === this.#capacity) this.#grow();
      this.#addLine(bytes);
    }
    return end;
  }

  #addLine(bytes: Buffer): void {
    const row = this.#count;
    this.#readNumber(bytes);
    this.#id[row] = this.#whole;
    this.#readNumber(bytes);
    this.#priceWhole[row] = this.#whole;
    this.#priceFraction[row] = this.#fraction;
    this.#readNumber(bytes);
    this.#qtyWhole[row] = this.#whole;
    this.#qtyFraction[row] = this.#fraction;
    this.#readNumber(bytes);
    this.#firstRaw[row] = this.#whole;
    this.#readNumber(bytes);
    this.#lastRaw[row] = this.#whole;
    this.#readNumber(bytes);
    this.#timeUs[row] = this.#whole >= FIRST_MICROSECOND_VALUE ? this.#whole : this.#whole * 1000;
    const flag = bytes[this.#position];
    this.#buyerIsMaker[row] = flag === UPPER_T || flag === LOWER_T ? 1 : 0;
    this.#position = bytes.indexOf(NEWLINE, this.#position) + 1;
    this.#count++;
  }

  /** Reads one decimal field and the comma after it. */
  #readNumber(bytes: Buffer): void {
    let position = this.#position;
    let whole = 0;
    let fraction = 0;
    let scale = 100_000_000;
    const negative = bytes[position] === MINUS;
    if (negative) position++;
    let inFraction = false;
    for (; ; position++) {
      const byte = bytes[position];
      if (byte === COMMA) break;
      if (byte === POINT) {
        inFraction = true;
        continue;
      }
      if (byte === undefined || byte < DIGIT_0 || byte > DIGIT_9)
        throw new Error(`trades file: row ${this.#count + 1} has no number where one belongs`);
      if (!inFraction) whole = whole * 10 + (byte - DIGIT_0);
      else if (scale > 1) {
        scale /= 10;
        fraction += (byte - DIGIT_0) * scale;
      }
    }
    this.#position = position + 1;
    this.#whole = negative ? -whole : whole;
    this.#fraction = fraction;
  }

  #grow(): void {
    this.#resize(this.#capacity * 2);
  }

  /** Frees what a wrong guess over-allocated. A small excess is not worth a copy of the columns. */
  trim(): void {
    if (this.#capacity > this.#count * 1.5) this.#resize(Math.max(1, this.#count));
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    const doubles = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(capacity);
      next.set(old.subarray(0, this.#count));
      return next;
    };
    const integers = (old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> => {
      const next = new Uint32Array(capacity);
      next.set(old.subarray(0, this.#count));
      return next;
    };
    this.#id = doubles(this.#id);
    this.#priceWhole = doubles(this.#priceWhole);
    this.#priceFraction = integers(this.#priceFraction);
    this.#qtyWhole = doubles(this.#qtyWhole);
    this.#qtyFraction = integers(this.#qtyFraction);
    this.#firstRaw = doubles(this.#firstRaw);
    this.#lastRaw = doubles(this.#lastRaw);
    this.#timeUs = doubles(this.#timeUs);
    const flags = new Uint8Array(capacity);
    flags.set(this.#buyerIsMaker.subarray(0, this.#count));
    this.#buyerIsMaker = flags;
  }

  /** The columns as a series; they must not grow afterwards. */
  toSeries(): TradeSeries {
    const count = this.#count;
    const id = this.#id;
    const timeUs = this.#timeUs;
    const lastUs = timeUs[count - 1] ?? 0;
    return {
      count,
      firstId: id[0] ?? 0,
      endUs: Math.floor(lastUs / DAY_US + 1) * DAY_US,
      at: (index) => this.#trade(index),
      indexOfId: (wanted) => lowerBound(0, count, (index) => (id[index] ?? Infinity) >= wanted),
      indexAtTime: (wantedUs) =>
        lowerBound(0, count, (index) => (timeUs[index] ?? Infinity) >= wantedUs),
    };
  }

  #trade(index: number): Trade {
    if (!(index >= 0 && index < this.#count))
      throw new RangeError(`no trade at index ${index} of ${this.#count}`);
    return {
      a: this.#id[index] ?? 0,
      p: decimalText(this.#priceWhole[index] ?? 0, this.#priceFraction[index] ?? 0),
      q: decimalText(this.#qtyWhole[index] ?? 0, this.#qtyFraction[index] ?? 0),
      f: this.#firstRaw[index] ?? 0,
      l: this.#lastRaw[index] ?? 0,
      timeUs: this.#timeUs[index] ?? 0,
      m: this.#buyerIsMaker[index] === 1,
    };
  }
}

function decimalText(whole: number, fraction: number): string {
  return `${whole}.${String(fraction + 100_000_000).slice(1)}`;
}
