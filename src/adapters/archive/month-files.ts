import { rm } from 'node:fs/promises';
import { unlessAborted } from '../system/within.ts';

/** Days are worked oldest first by a few jobs at once: two months are open only at their border. */
const KEPT = 2;

interface Opened<T> {
  readonly folder: string;
  readonly file: Promise<T | undefined>;
}

interface Month<T> extends Opened<T> {
  /** Who waits for the file or reads it. */
  users: number;
}

/** Downloaded months: each is kept for the other days that are read from it, until newer ones push it out. */
export class MonthFiles<T> {
  readonly #months = new Map<string, Month<T>>();

  /**
   * @param open starts the download into a new folder; a month that is absent is asked for anew each time
   * @param signal ends the wait, not the download: others may wait for it
   * @returns what `use` returns
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

  /** The oldest go first; one that somebody uses stays, however many there are. */
  async #pushOut(): Promise<void> {
    for (const [key, month] of this.#months) {
      if (this.#months.size <= KEPT) return;
      if (month.users > 0) continue;
      this.#months.delete(key);
      await deleteFolder(month);
    }
  }

  /** The last one who uses a month that is not kept takes its folder away. */
  async #deleteUnless(isKept: boolean, month: Month<T>): Promise<void> {
    if (!isKept && month.users === 0) await deleteFolder(month);
  }
}

async function deleteFolder({ folder }: Opened<unknown>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
