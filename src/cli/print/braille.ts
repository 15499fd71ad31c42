/** A raster of dots that is printed as Braille characters, each 2 dots wide and 4 dots high. */

export const DOTS_ACROSS = 2;
export const DOTS_DOWN = 4;

/** U+2800 plus a bit for each dot of the character, by row and column. */
const BLANK = 0x28_00;
const BITS: readonly (readonly [number, number])[] = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

export class Raster {
  readonly #bits: Uint8Array;
  readonly #columns: number;
  readonly #rows: number;

  /** @param columns of characters @param rows of characters */
  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.#bits = new Uint8Array(columns * rows);
  }

  /** Sets the dots from `y0` to `y1` in a column of dots; y counts from the top. */
  vertical(x: number, y0: number, y1: number): void {
    for (let y = Math.min(y0, y1); y <= Math.max(y0, y1); y += 1) {
      const at = Math.floor(y / DOTS_DOWN) * this.#columns + Math.floor(x / DOTS_ACROSS);
      const bit = BITS[y % DOTS_DOWN]?.[x % DOTS_ACROSS] ?? 0;
      this.#bits[at] = (this.#bits[at] ?? 0) | bit;
    }
  }

  /** Where no dot is set, a line has spaces. */
  lines(): string[] {
    return Array.from({ length: this.#rows }, (_, row) =>
      Array.from(this.#bits.subarray(row * this.#columns, (row + 1) * this.#columns), (bits) =>
        bits === 0 ? ' ' : String.fromCodePoint(BLANK + bits),
      ).join(''),
    );
  }
}
