import { rm } from 'node:fs/promises';

/** Days are worked oldest first by a few jobs at once: two months are open only at their border. */
const KEPT = 2;

interface Kept<T> {
  readonly folder: string;
  readonly file: Promise<T | undefined>;
  users: number;
}

/** Downloaded months: each is kept for the other days that are read from it, until newer ones push it out. */
export class MonthFiles<T> {
  readonly #months = new Map<string, Kept<T>>();

  /**
   * @param open starts the download into a new folder; a month that is absent is asked for anew each time
   * @param signal ends the wait, not the download
   * @returns what `use` returns
   */
  async use<R>(
    key: string,
    open: () => Pick<Kept<T>, 'folder' | 'file'>,
    signal: AbortSignal,
    use: (file: T) => Promise<R>,
  ): Promise<R | undefined> {
    const month = this.#months.get(key) ?? { ...open(), users: 0 };
    this.#months.set(key, month);
    month.users += 1;
    let isWorthKeeping = false;
    try {
      const file = await Promise.race([month.file, abortOf(signal)]);
      isWorthKeeping = file !== undefined;
      return file === undefined ? undefined : await use(file);
    } finally {
      month.users -= 1;
      if (!isWorthKeeping) await this.#drop(key, month);
      await this.#dropOldest();
    }
  }

  async close(): Promise<void> {
    for (const [key, month] of this.#months) await this.#drop(key, month);
  }

  async #dropOldest(): Promise<void> {
    for (const [key, month] of this.#months) {
      if (this.#months.size <= KEPT) return;
      if (month.users === 0) await this.#drop(key, month);
    }
  }

  async #drop(key: string, month: Kept<T>): Promise<void> {
    if (this.#months.get(key) === month) this.#months.delete(key);
    await rm(month.folder, { recursive: true, force: true });
  }
}

async function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
