/**
 * States of a month and what may follow each:
 *
 *   absent   -> opening     use() starts the download
 *   opening  -> kept        the download succeeded
 *            -> forgotten   there is no such file, the download failed, or close()
 *            -> pushed out  like a kept month, once all its users have given up
 *   kept     -> pushed out  more than KEPT months are here, and this one is the oldest without users
 *            -> forgotten   close()
 *
 * A forgotten or pushed-out month is absent for the next use(). Its folder is deleted at once when it is pushed
 * out and by close(); that of a month without a file is deleted when its last user has ended.
 */

import { rm } from 'node:fs/promises';
import { unlessAborted } from '../system/within.ts';

/** A few jobs process days in parallel, oldest first: they need two months only at a month's end. */
const KEPT = 2;

interface Opened<T> {
  readonly folder: string;
  readonly file: Promise<T | undefined>;
}

interface Month<T> extends Opened<T> {
  /** Number of callers that wait for the file or read it. */
  users: number;
}

/**
 * Downloaded months. Each is kept for the other days that are read from it, until newer months push it
 * out.
 */
export class MonthFiles<T> {
  readonly #months = new Map<string, Month<T>>();

  /**
   * @param open starts the download into a new folder; called again at each use() if there is no such file
   * @param signal ends the wait, not the download, for which other callers may wait
   * @returns the result of `use`, or undefined when there is no such file
   */
  async use<R>(
    key: string,
    open: () => Opened<T>,
    signal: AbortSignal,
    use: (file: T) => Promise<R>,
  ): Promise<R | undefined> {
    signal.throwIfAborted();
    const month = this.#months.get(key) ?? this.#open(key, open);
    month.users += 1;
    try {
      const file = await unlessAborted(month.file, signal);
      return file === undefined ? undefined : await use(file);
    } finally {
      month.users -= 1;
      await this.#deleteUnless(this.#months.get(key) === month, month);
      await this.#pushOut();
    }
  }

  async close(): Promise<void> {
    const months = [...this.#months.values()];
    this.#months.clear();
    await Promise.all(months.map(deleteFolder));
  }

  #open(key: string, open: () => Opened<T>): Month<T> {
    const month = { ...open(), users: 0 };
    this.#months.set(key, month);
    const forget = () => {
      if (this.#months.get(key) === month) this.#months.delete(key);
      return this.#deleteUnless(false, month);
    };
    void month.file.then((file) => (file === undefined ? forget() : undefined), forget);
    return month;
  }

  /** The oldest months go first. A month in use stays, even if there are more than KEPT. */
  async #pushOut(): Promise<void> {
    for (const [key, month] of this.#months) {
      if (this.#months.size <= KEPT) return;
      if (month.users > 0) continue;
      this.#months.delete(key);
      await deleteFolder(month);
    }
  }

  /** Deletes the folder of a month that is not in the map, unless it still has users. */
  async #deleteUnless(isKept: boolean, month: Month<T>): Promise<void> {
    if (!isKept && month.users === 0) await deleteFolder(month);
  }
}

async function deleteFolder({ folder }: Opened<unknown>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
