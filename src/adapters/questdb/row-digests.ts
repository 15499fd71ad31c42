import { hash } from 'node:crypto';
import { CdvaultError } from '../../domain/errors.ts';
import type { PartitionDigests } from '../../ports/partitions.ts';

const NEWLINE = 0x0a;
/** Of SHA-256. */
const WORDS = 8;

/**
 * Digests of lines by the day that they begin with: the sums of the words of each line's SHA-256, modulo 2^32.
 * So the order of the lines does not matter, and each line counts as often as it is there.
 */
export class RowDigests {
  readonly #days = new Map<number, Uint32Array<ArrayBuffer>>();
  #rest: Uint8Array = new Uint8Array();
  #isHeader = true;

  /** Takes the next bytes of CSV whose first column is `ts`. */
  push(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) break;
      if (this.#isHeader) this.#isHeader = false;
      else this.#add(bytes.subarray(from, end));
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
  }

  /** @throws CdvaultError STORE_UNREACHABLE when the last line has no end */
  end(): PartitionDigests {
    if (this.#rest.length > 0)
      throw new CdvaultError('STORE_UNREACHABLE', 'QuestDB’s answer to an export is cut off');
    const all = new Uint32Array(WORDS);
    for (const sums of this.#days.values()) addTo(all, sums);
    return {
      all: hexOf(all),
      byDay: new Map([...this.#days].map(([dayMs, sums]) => [dayMs, hexOf(sums)])),
    };
  }

  #add(line: Uint8Array): void {
    const dayMs = this.#dayOf(line);
    const sums = this.#days.get(dayMs) ?? new Uint32Array(WORDS);
    this.#days.set(dayMs, sums);
    const digest = hash('sha256', line, 'buffer');
    for (let word = 0; word < WORDS; word += 1)
      sums[word] = (sums[word] ?? 0) + digest.readUInt32LE(word * 4);
  }

  #lastDay = { text: '', dayMs: 0 };

  #dayOf(line: Uint8Array): number {
    // `"2024-01-10T00:00:00.000000Z"`
    const text = Buffer.from(line.buffer, line.byteOffset + 1, 10).toString('latin1');
    if (text !== this.#lastDay.text) this.#lastDay = { text, dayMs: Date.parse(text) };
    return this.#lastDay.dayMs;
  }
}

function addTo(sums: Uint32Array, others: Uint32Array): void {
  for (const [word, other] of others.entries()) sums[word] = (sums[word] ?? 0) + other;
}

function hexOf({ buffer }: Uint32Array<ArrayBuffer>): string {
  return Buffer.from(buffer).toString('hex');
}
