import type { AggTrade } from '../../domain/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';

/** How a file is written; found by looking, since the exchange has changed it without notice. */
export interface CsvFormat {
  readonly hasHeader: boolean;
  /** 8 on spot, 7 on futures. */
  readonly columns: number;
  readonly unit: 'ms' | 'us';
}

/** Milliseconds reach this in the year 5138, microseconds passed it in 1973. */
const LEAST_US = 1e14;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Turns the bytes of one archive file into trades: header or none, seven or eight columns, `True` or
 * `true`, milliseconds or microseconds, CRLF or LF.
 */
export class CsvRows {
  readonly #fileName: string;
  #rest: Buffer = Buffer.alloc(0);
  #line = 0;
  #hasHeader = false;
  #columns = 0;
  #unit: 'ms' | 'us' | undefined;

  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  /** undefined while no row has been seen. */
  get format(): CsvFormat | undefined {
    if (this.#unit === undefined) return undefined;
    return { hasHeader: this.#hasHeader, columns: this.#columns, unit: this.#unit };
  }

  /** @throws CdvaultError ARCHIVE_BAD_ROW */
  push(chunk: Buffer): AggTrade[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    this.#rest = bytes.subarray(end);
    return this.#parse(bytes.toString('latin1', 0, end));
  }

  /** The last line, if the file does not end with a line feed. */
  end(): AggTrade[] {
    const last = this.#rest.toString('latin1');
    this.#rest = Buffer.alloc(0);
    return last === '' ? [] : this.#parse(`${last}\n`);
  }

  #parse(text: string): AggTrade[] {
    const rows: AggTrade[] = [];
    for (let start = 0; start < text.length;) {
      const feed = text.indexOf('\n', start);
      const end = text.charCodeAt(feed - 1) === CARRIAGE_RETURN ? feed - 1 : feed;
      this.#line += 1;
      if (this.#line === 1 && !isDigit(text.charCodeAt(start))) this.#hasHeader = true;
      else rows.push(this.#row(text.slice(start, end)));
      start = feed + 1;
    }
    return rows;
  }

  #row(line: string): AggTrade {
    const fields = line.split(',');
    const [aggId, price, qty, firstId, lastId, time, maker] = fields;
    if (this.#columns === 0) this.#columns = fields.length;
    const isBuyerMaker = BOOLEANS.get(maker ?? '');
    if (
      (fields.length !== 7 && fields.length !== 8) ||
      fields.length !== this.#columns ||
      price === undefined ||
      qty === undefined ||
      isBuyerMaker === undefined ||
      !DECIMAL.test(price) ||
      !DECIMAL.test(qty)
    )
      throw this.#badRow(line);
    return {
      aggId: this.#integer(aggId, line),
      price,
      qty,
      firstId: this.#integer(firstId, line),
      lastId: this.#integer(lastId, line),
      timeUs: this.#timeUs(this.#integer(time, line), line),
      isBuyerMaker,
    };
  }

  #integer(text: string | undefined, line: string): number {
    const value = text === undefined || text === '' ? Number.NaN : Number(text);
    if (!Number.isSafeInteger(value)) throw this.#badRow(line);
    return value;
  }

  #timeUs(time: number, line: string): number {
    const unit = time >= LEAST_US ? 'us' : 'ms';
    this.#unit ??= unit;
    if (unit !== this.#unit)
      throw this.#badRow(line, 'the unit of its time is not that of the rows before');
    return unit === 'us' ? time : time * 1000;
  }

  #badRow(line: string, why = 'it is no row of aggregate trades'): CdvaultError {
    return new CdvaultError(
      'ARCHIVE_BAD_ROW',
      `${this.#fileName} line ${this.#line}: ${why}: ${JSON.stringify(line.slice(0, 120))}`,
    );
  }
}

const BOOLEANS = new Map([
  ['True', true],
  ['true', true],
  ['False', false],
  ['false', false],
]);

/** As the store takes it: up to eight places, no sign, no exponent. */
const DECIMAL = /^\d+(?:\.\d{0,8})?$/;

function isDigit(charCode: number): boolean {
  return charCode >= 48 && charCode <= 57;
}
