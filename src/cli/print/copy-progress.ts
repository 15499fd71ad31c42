import { createLogUpdate } from 'log-update';
import { counted, formatBytes } from './format.ts';

/** Between two lines on a terminal. */
const EVERY_MS = 200;

/** A live line on a terminal while files are copied. */
export class CopyProgress {
  readonly #live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  #files = 0;
  #bytes = 0;
  #shownMs = 0;

  readonly onFile = (bytes: number): void => {
    this.#files += 1;
    this.#bytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < EVERY_MS) return;
    this.#shownMs = nowMs;
    this.#live?.(`${counted(this.#files, 'file')}, ${formatBytes(this.#bytes)}`);
  };

  clear(): void {
    this.#live?.clear();
  }
}
