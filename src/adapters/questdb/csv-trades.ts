import { CdvaultError } from '../../domain/errors.ts';
import {
  EXACT_NUMBER,
  newStoredTrades,
  type StoredTrades,
} from '../../domain/trade/stored-trades.ts';

/** The columns of a statement whose answer CsvTrades reads. */
export const CSV_COLUMNS =
  'agg_id, price, qty, first_id, last_id, ts::long AS time_us, is_buyer_maker';

/** `0,"0.00000000","0.00000000",0,0,0,true`, CR and LF. */
const LEAST_ROW_BYTES = 39;
const PLACES = 8;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const ONE = 49;
const LETTER_F = 102;
const LETTER_T = 116;

/**
 * Reads the store's CSV of trades piece by piece. The digits of the canonical lines are copied as they go
 * by: for a day of 75 MB, formatting numbers again would take longer than all the rest.
 */
export class CsvTrades {
  /** The rest of the piece before, then the last piece. */
  #text: Buffer = Buffer.alloc(0);
  #length = 0;
  #parsed = 0;
  #isHeader = true;
  #trades = newStoredTrades(0, 0);
  /** Positions in the text and in the lines. */
  #at = 0;
  #to = 0;

  /**
   * The rows that a piece completes; the next piece overwrites them.
   * @throws CdvaultError STORE_REFUSED when it is not the CSV of trades
   */
  push(chunk: Uint8Array): StoredTrades {
    this.#append(chunk);
    const end = this.#length === 0 ? 0 : this.#text.lastIndexOf(LINE_FEED, this.#length - 1) + 1;
    this.#at = 0;
    if (this.#isHeader && end > 0) {
      this.#at = this.#text.indexOf(LINE_FEED) + 1;
      this.#isHeader = false;
    }
    this.#parsed = end;
    return { ...this.#trades, rows: this.#rows(end) };
  }

  /** @throws CdvaultError STORE_REFUSED when the last line is not whole */
  end(): void {
    if (this.#parsed < this.#length || this.#isHeader) throw this.#badLine(this.#parsed);
  }

  #append(chunk: Uint8Array): void {
    const rest = this.#text.subarray(this.#parsed, this.#length);
    const length = rest.length + chunk.length;
    if (this.#text.length < length) {
      const larger = Buffer.alloc(2 * length);
      rest.copy(larger);
      this.#text = larger;
      // A canonical line is shorter than its text.
      this.#trades = newStoredTrades(Math.ceil((2 * length) / LEAST_ROW_BYTES), 2 * length);
    } else {
      this.#text.copyWithin(0, this.#parsed, this.#length);
    }
    this.#text.set(chunk, rest.length);
    this.#length = length;
  }

  #rows(end: number): number {
    const trades = this.#trades;
    let row = 0;
    this.#to = 0;
    while (this.#at < end) {
      trades.lineAt[row] = this.#to;
      trades.aggIds[row] = this.#integer();
      const price = this.#decimal();
      const qty = this.#decimal();
      const firstId = this.#integer();
      trades.pricesE8[row] = price < EXACT_NUMBER ? price : Infinity;
      trades.qtysE8[row] = qty < EXACT_NUMBER ? qty : Infinity;
      trades.firstIds[row] = firstId;
      trades.lastIds[row] = this.#integer();
      trades.timesUs[row] = this.#integer();
      trades.valids[row] = firstId >= 0 && price > 0 && qty > 0 ? 1 : 0;
      trades.makers[row] = this.#flag();
      row += 1;
    }
    trades.lineAt[row] = this.#to;
    return row;
  }

  /** Copies an integer and the comma after it. */
  #integer(): number {
    const [text, lines] = [this.#text, this.#trades.lines];
    let [at, to] = [this.#at, this.#to];
    let value = 0;
    const isNegative = text[at] === MINUS;
    if (isNegative) {
      lines[to] = MINUS;
      at += 1;
      to += 1;
    }
    const start = at;
    for (let digit = text[at] ?? 0; digit >= ZERO && digit < ZERO + 10; digit = text[at] ?? 0) {
      lines[to] = digit;
      value = value * 10 + (digit - ZERO);
      at += 1;
      to += 1;
    }
    if (at === start || text[at] !== COMMA) throw this.#badLine(this.#at);
    lines[to] = COMMA;
    this.#at = at + 1;
    this.#to = to + 1;
    return isNegative ? -value : value;
  }

  /** Copies a quoted decimal with eight places as an integer without leading zeros, and a comma. */
  #decimal(): number {
    const [text, lines] = [this.#text, this.#trades.lines];
    let [at, to] = [this.#at + 1, this.#to];
    let value = 0;
    let dotAt = 0;
    for (let byte = text[at] ?? 0; byte !== QUOTE; byte = text[at] ?? 0) {
      at += 1;
      if (byte === DOT) {
        dotAt = at;
        continue;
      }
      if (byte < ZERO || byte >= ZERO + 10) throw this.#badLine(this.#at);
      value = value * 10 + (byte - ZERO);
      if (to === this.#to && byte === ZERO) continue;
      lines[to] = byte;
      to += 1;
    }
    if (text[this.#at] !== QUOTE || text[at + 1] !== COMMA || at - dotAt !== PLACES)
      throw this.#badLine(this.#at);
    if (to === this.#to) {
      lines[to] = ZERO;
      to += 1;
    }
    lines[to] = COMMA;
    this.#at = at + 2;
    this.#to = to + 1;
    return value;
  }

  /** Copies `true` or `false` as 1 or 0 and ends the line. */
  #flag(): 0 | 1 {
    const [text, lines] = [this.#text, this.#trades.lines];
    const isTrue = text[this.#at] === LETTER_T;
    if (!isTrue && text[this.#at] !== LETTER_F) throw this.#badLine(this.#at);
    let at = this.#at + (isTrue ? 4 : 5);
    if (text[at] === CARRIAGE_RETURN) at += 1;
    if (text[at] !== LINE_FEED) throw this.#badLine(this.#at);
    lines[this.#to] = isTrue ? ONE : ZERO;
    lines[this.#to + 1] = LINE_FEED;
    this.#at = at + 1;
    this.#to += 2;
    return isTrue ? 1 : 0;
  }

  #badLine(at: number): CdvaultError {
    const text = this.#text.toString('utf8', at, Math.min(this.#length, at + 200));
    return new CdvaultError(
      'STORE_REFUSED',
      `QuestDB answered with other text than trades: ${text}`,
    );
  }
}
