import {
  AGG_ID_FIELD,
  type Columns,
  FIELD_COUNT,
  FIRST_ID_FIELD,
  LAST_ID_FIELD,
  MAKER_FIELD,
  newColumns,
  PRICE_FIELD,
  QTY_FIELD,
  TIME_FIELD,
  TradeBlock,
} from '../../domain/trade/trade-block.ts';
import { badField, badRow, isHeader, type Line } from './bad-row.ts';
import { isFalseAt, isTrueAt } from './csv-boolean.ts';

/** The format of a file; detected from its content, since the exchange has changed it without notice. */
export interface CsvFormat {
  readonly hasHeader: boolean;
  /** 8 on spot, 7 on futures. */
  readonly columns: number;
  readonly unit: 'ms' | 'us';
}

/** Milliseconds reach this in the year 5138, microseconds passed it in 1973. */
const LEAST_US = 1e14;

/** `0,0,0,0,0,0,True` and a line feed: a wrong time may be short, and what does not fit in a column is lost. */
const LEAST_ROW_BYTES = 17;

/** Rows have some 90 bytes. A line without an end would be kept, and copied again for each piece of the file. */
const LONGEST_LINE_BYTES = 1_000;

/** Programs that save text as "UTF-8 with signature" put it before the first field. */
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
/** In the store a price has ten digits before the point and a quantity twenty; both have eight after it. */
const MOST_WHOLE_DIGITS = 20;
const MOST_PLACES = 8;
/** Prices and quantities in units of 1e-8 are exact as numbers below this. */
const EXACT_E8 = 2 ** 53;
const PLACE_E8 = Array.from(
  { length: MOST_PLACES + 1 },
  (_, places) => 10 ** (MOST_PLACES - places),
);

/**
 * Parses the bytes of one archive file into blocks of trades: with or without header and byte order mark,
 * seven or eight columns, `True` or `true`, milliseconds or microseconds, CRLF or LF. Empty lines are skipped.
 * It parses byte by byte without a library, since a day of the busiest symbol has 65 MB.
 */
export class CsvRows {
  readonly #fileName: string;
  /** The rest of the piece before, then the last piece. `[parsed, length)` is not parsed yet. */
  #text: Buffer = Buffer.alloc(0);
  #parsed = 0;
  #length = 0;
  #line = 0;
  /** True until the first line that is not empty: a byte order mark and a header can't be after it. */
  #isAtStart = true;
  #hasHeader = false;
  #columns = 0;
  #unit: 'ms' | 'us' | undefined;
  /** Position in the text, and the last decimal that was read. */
  #at = 0;
  #isZero = false;
  #valueE8 = 0;
  #block = newColumns(0);

  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  /** undefined while no row has been seen. */
  get format(): CsvFormat | undefined {
    if (this.#unit === undefined) return undefined;
    return { hasHeader: this.#hasHeader, columns: this.#columns, unit: this.#unit };
  }

  /**
   * The rows that a piece of the file completes. The next piece overwrites them: new columns for each piece
   * would leave 170 MB a day to the garbage collector, a tenth of the time.
   * @throws CdvaultError ARCHIVE_BAD_ROW
   */
  push(chunk: Buffer): TradeBlock {
    this.#append(chunk);
    const from = this.#length - 1;
    this.#parsed = from < 0 ? 0 : this.#text.lastIndexOf(LINE_FEED, from) + 1;
    const block = this.#parse(this.#parsed);
    if (this.#length - this.#parsed > LONGEST_LINE_BYTES) {
      this.#line += 1;
      throw badRow(this.#lineAt(this.#parsed), TOO_LONG);
    }
    return block;
  }

  /** The rest of the file: its last line, if that does not end with a line feed. */
  end(): TradeBlock {
    return this.push(this.#parsed < this.#length ? Buffer.of(LINE_FEED) : Buffer.alloc(0));
  }

  /** Moves the unparsed rest of the last piece to the front and appends the next piece. */
  #append(chunk: Buffer): void {
    const rest = this.#text.subarray(this.#parsed, this.#length);
    const length = rest.length + chunk.length;
    if (this.#text.length < length) this.#text = Buffer.alloc(2 * length);
    rest.copy(this.#text);
    chunk.copy(this.#text, rest.length);
    this.#length = length;
  }

  #parse(end: number): TradeBlock {
    const most = Math.ceil(end / LEAST_ROW_BYTES);
    if (this.#block.makers.length < most) this.#block = newColumns(most);
    const columns = this.#block;
    this.#at = 0;
    let rows = 0;
    while (this.#at < end) {
      this.#line += 1;
      if (this.#isAtStart && this.#line === 1) this.#skipByteOrderMark();
      if (this.#skipEmptyLine()) continue;
      if (this.#isAtStart && this.#skipHeader()) continue;
      this.#row(columns, rows);
      rows += 1;
    }
    return new TradeBlock({
      rows,
      text: this.#text,
      fieldAt: columns.fieldAt,
      timeZeros: this.#unit === 'us' ? 0 : 3,
      aggIds: columns.aggIds.subarray(0, rows),
      firstIds: columns.firstIds.subarray(0, rows),
      lastIds: columns.lastIds.subarray(0, rows),
      timesUs: columns.timesUs.subarray(0, rows),
      pricesE8: columns.pricesE8.subarray(0, rows),
      qtysE8: columns.qtysE8.subarray(0, rows),
      makers: columns.makers.subarray(0, rows),
      valids: columns.valids.subarray(0, rows),
    });
  }

  #row(columns: Columns, row: number): void {
    const { fieldAt } = columns;
    const start = this.#at;
    const field = row * FIELD_COUNT;
    fieldAt[field] = start;
    columns.aggIds[row] = this.#integer(start, AGG_ID_FIELD);
    fieldAt[field + 1] = this.#at;
    this.#decimal(start, PRICE_FIELD);
    const hasPrice = !this.#isZero;
    columns.pricesE8[row] = this.#valueE8;
    fieldAt[field + 2] = this.#at;
    this.#decimal(start, QTY_FIELD);
    const hasQty = !this.#isZero;
    columns.qtysE8[row] = this.#valueE8;
    fieldAt[field + 3] = this.#at;
    const firstId = this.#integer(start, FIRST_ID_FIELD);
    columns.firstIds[row] = firstId;
    fieldAt[field + 4] = this.#at;
    columns.lastIds[row] = this.#integer(start, LAST_ID_FIELD);
    fieldAt[field + 5] = this.#at;
    columns.timesUs[row] = this.#timeUs(start);
    fieldAt[field + 6] = this.#at;
    columns.makers[row] = this.#boolean(start);
    columns.valids[row] = hasPrice && hasQty && firstId >= 0 ? 1 : 0;
    this.#endOfRow(start);
  }

  #skipByteOrderMark(): void {
    if (this.#text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
      this.#at = BYTE_ORDER_MARK.length;
  }

  #skipEmptyLine(): boolean {
    const bytes = this.#text;
    const end = bytes[this.#at] === CARRIAGE_RETURN ? this.#at + 1 : this.#at;
    if (bytes[end] !== LINE_FEED) return false;
    this.#at = end + 1;
    return true;
  }

  /**
   * A first line that is not the exchange's header is parsed as a row, and refused if it is none: it may
   * be a damaged trade.
   */
  #skipHeader(): boolean {
    this.#isAtStart = false;
    if (!isHeader(this.#lineAt(this.#at))) return false;
    this.#hasHeader = true;
    this.#at = this.#text.indexOf(LINE_FEED, this.#at) + 1;
    return true;
  }

  /**
   * Reads an integer and skips the comma after it. Only raw ids may be negative, in rows that are marked invalid.
   * @param row where the row starts, for the error
   * @throws CdvaultError ARCHIVE_BAD_ROW
   */
  #integer(row: number, field: number): number {
    const bytes = this.#text;
    let at = this.#at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    const firstDigit = at;
    let value = 0;
    for (;;) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at += 1;
    }
    const hasLeadingZero = bytes[firstDigit] === ZERO && at > firstDigit + 1;
    if (at === firstDigit || bytes[at] !== COMMA || hasLeadingZero || value >= EXACT_E8)
      throw badField(this.#lineAt(row), field, 'is not an integer below 2^53');
    if (isNegative && (value === 0 || field < FIRST_ID_FIELD || field > LAST_ID_FIELD))
      throw badField(this.#lineAt(row), field, 'is negative');
    this.#at = at + 1;
    return isNegative ? -value : value;
  }

  /** Reads a decimal of the form that the store accepts: up to eight places, no sign, no exponent. */
  #decimal(row: number, field: number): void {
    const bytes = this.#text;
    const start = this.#at;
    let at = start;
    let value = 0;
    let dotAt = -1;
    for (;;) {
      const byte = bytes[at] ?? 0;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else if (byte === DOT && dotAt < 0 && at > start) dotAt = at;
      else break;
      at += 1;
    }
    const places = dotAt < 0 ? 0 : at - dotAt - 1;
    const whole = (dotAt < 0 ? at : dotAt) - start;
    const isDecimal = whole > 0 && whole <= MOST_WHOLE_DIGITS && places <= MOST_PLACES;
    if (!isDecimal || bytes[at] !== COMMA || (dotAt >= 0 && places === 0))
      throw badField(this.#lineAt(row), field, 'is not a decimal with up to eight places');
    const valueE8 = value * (PLACE_E8[places] ?? 1);
    this.#isZero = value === 0;
    this.#valueE8 = valueE8 < EXACT_E8 ? valueE8 : Infinity;
    this.#at = at + 1;
  }

  #timeUs(row: number): number {
    const time = this.#integer(row, TIME_FIELD);
    const unit = time >= LEAST_US ? 'us' : 'ms';
    this.#unit ??= unit;
    if (unit !== this.#unit)
      throw badField(this.#lineAt(row), TIME_FIELD, 'is in another unit than the rows before');
    return unit === 'us' ? time : time * 1000;
  }

  /** `True`, `true`, `False`, `false`. */
  #boolean(row: number): 0 | 1 {
    const bytes = this.#text;
    const at = this.#at;
    if (isTrueAt(bytes, at)) {
      this.#at = at + 4;
      return 1;
    }
    if (!isFalseAt(bytes, at)) throw badField(this.#lineAt(row), MAKER_FIELD, NO_BOOLEAN);
    this.#at = at + 5;
    return 0;
  }

  /** Reads the rest of the row: nothing on futures, an eighth column without a meaning on spot. */
  #endOfRow(row: number): void {
    const bytes = this.#text;
    let at = this.#at;
    let columns = FIELD_COUNT;
    for (; bytes[at] !== LINE_FEED; at += 1) {
      if (bytes[at] === COMMA) columns += 1;
      else if (columns === FIELD_COUNT && bytes[at] !== CARRIAGE_RETURN)
        throw badField(this.#lineAt(row), MAKER_FIELD, NO_BOOLEAN);
    }
    if (at - row > LONGEST_LINE_BYTES) throw badRow(this.#lineAt(row), TOO_LONG);
    this.#columns ||= Math.min(columns, FIELD_COUNT + 1);
    if (columns !== this.#columns)
      throw badRow(this.#lineAt(row), `it has ${columns} columns, not ${this.#columns}`);
    this.#at = at + 1;
  }

  #lineAt(at: number): Line {
    const end = this.#text.subarray(0, this.#length).indexOf(LINE_FEED, at);
    const text = this.#text.toString('utf8', at, end < 0 ? at + LONGEST_LINE_BYTES : end);
    return { place: `${this.#fileName} line ${this.#line}`, text: text.trimEnd() };
  }
}

const TOO_LONG = `it is longer than ${LONGEST_LINE_BYTES} bytes`;
const NO_BOOLEAN = 'is neither true nor false';
