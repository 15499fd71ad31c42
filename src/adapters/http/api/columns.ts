import { z } from 'zod';
import { shortened, usage } from './parameters.ts';

/** How an answer writes times and decimals. */
export interface Style {
  /** Decimals as text with all digits; else as JSON numbers. */
  readonly exact: boolean;
  /** Times as ISO text; else as epoch ms. */
  readonly iso: boolean;
}

interface Cells {
  /** Epoch ms. */
  readonly time: number;
  /** Epoch µs. */
  readonly instant: number;
  /** Text of digits. */
  readonly decimal: string;
  readonly count: number;
  readonly text: string;
}

type Kind = keyof Cells;

/** One column: how to get its value from a row (undefined is null), and what it means. */
export interface Column<Row, K extends Kind = Kind> {
  readonly kind: K;
  readonly about: string;
  /** The JSON of one cell. */
  readonly cell: (row: Row, style: Style) => string;
}

export type Columns<Row> = Readonly<Record<string, Column<Row>>>;

/** Makes the columns of one kind of row. */
export function columnsOf<Row>() {
  const make =
    <K extends Kind>(kind: K, write: (value: Cells[K], style: Style) => string) =>
    (about: string, valueOf: (row: Row) => Cells[K] | undefined): Column<Row, K> => ({
      kind,
      about,
      cell(row, style) {
        const value = valueOf(row);
        return value === undefined ? 'null' : write(value, style);
      },
    });
  return {
    time: make('time', timeJson),
    instant: make('instant', instantJson),
    decimal: make('decimal', decimalJson),
    count: make('count', String),
    text: make('text', (value) => JSON.stringify(value)),
  };
}

export function timeJson(timeMs: number, { iso }: Style): string {
  return iso ? `"${new Date(timeMs).toISOString()}"` : String(timeMs);
}

function instantJson(timeUs: number, { iso }: Style): string {
  if (!iso) return String(timeUs / 1000);
  const micros = String(timeUs % 1000).padStart(3, '0');
  return `"${new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, -1)}${micros}Z"`;
}

/**
 * A number has the digits of the exact value, so that a JSON parser rounds it once, to the nearest double.
 * Zeros at its end are left out.
 */
export function decimalJson(digits: string, { exact }: Style): string {
  return exact ? `"${digits}"` : withoutZeros(digits);
}

const ZERO = 0x30;
const POINT = 0x2e;

function withoutZeros(digits: string): string {
  if (!digits.includes('.')) return digits;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end -= 1;
  if (digits.charCodeAt(end - 1) === POINT) end -= 1;
  return end === digits.length ? digits : digits.slice(0, end);
}

/**
 * The columns of a comma-separated list, or all.
 * @throws CdvaultError USAGE for an unknown name
 */
export function chosenColumns<Row, Name extends string>(
  columns: Readonly<Record<Name, Column<Row>>>,
  list: string | undefined,
): readonly Name[] {
  const all = Object.keys(columns) as Name[];
  if (list === undefined) return all;
  const names = new Set(list.split(','));
  const unknown = [...names].find((name) => !Object.hasOwn(columns, name));
  if (unknown === undefined) return all.filter((name) => names.has(name));
  throw usage(
    `there is no column ${JSON.stringify(shortened(unknown))} here`,
    `Columns: ${all.join(', ')}.`,
  );
}

export const CHOSEN = z
  .string()
  .optional()
  .describe('The only columns to give, as `time,close,delta`; default: all.');

/** Rows of which the cells' text is joined at a time; what it was made from is garbage then. */
const CHUNK_ROWS = 1_000;

/** Writes the JSON object of columns, each an array of the rows' cells, as rows come. */
export class ColumnsWriter<Row> {
  readonly #style: Style;
  readonly #columns: readonly {
    readonly name: string;
    readonly cell: Column<Row>['cell'];
    readonly chunks: string[];
  }[];
  #rows: Row[] = [];
  #joined = 0;

  /** @param names default: all */
  constructor(columns: Columns<Row>, style: Style, names?: readonly string[]) {
    this.#style = style;
    this.#columns = Object.entries(columns)
      .filter(([name]) => names?.includes(name) ?? true)
      .map(([name, { cell }]) => ({ name, cell, chunks: [] }));
  }

  add(row: Row): void {
    if (this.#rows.push(row) === CHUNK_ROWS) this.#join();
  }

  /** How many rows were added. */
  get count(): number {
    return this.#joined + this.#rows.length;
  }

  json(): string {
    this.#join();
    const arrays = this.#columns.map(
      ({ name, chunks }) => `${JSON.stringify(name)}:[${chunks.join(',')}]`,
    );
    return `{${arrays.join(',')}}`;
  }

  #join(): void {
    if (this.#rows.length === 0) return;
    for (const { cell, chunks } of this.#columns)
      chunks.push(this.#rows.map((row) => cell(row, this.#style)).join(','));
    this.#joined += this.#rows.length;
    this.#rows = [];
  }
}

export const TIME = z
  .union([z.int(), z.iso.datetime()])
  .describe('Epoch ms, or ISO text in UTC with `times=iso`.');

const CELLS = {
  time: TIME,
  instant: z.union([z.number(), z.iso.datetime()]),
  decimal: z
    .union([z.number(), z.string()])
    .describe('A number, or text with all digits with `exact=true`.'),
  count: z.int(),
  text: z.string(),
} as const satisfies Record<Kind, z.ZodType>;

/** The schema of what a ColumnsWriter writes. */
export function columnsSchema<Row>(columns: Columns<Row>) {
  return z.strictObject(
    Object.fromEntries(
      Object.entries(columns).map(([name, { kind, about }]) => [
        name,
        z.array(CELLS[kind].nullable()).describe(about),
      ]),
    ),
  );
}
