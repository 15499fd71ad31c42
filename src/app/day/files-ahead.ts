import type { Series } from '../../domain/market.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';

/**
 * Files that are downloaded while an earlier one is read. A thin day's file is read in some 20 ms and its
 * host answers in some 100 ms, so that one file after the other would mostly wait. Four are enough for that,
 * in each of the few archive jobs that a worker runs at a time.
 */
const FILES_AHEAD = 4;

interface FileAhead {
  /** The file once it is downloaded; undefined when there is none. */
  readonly arrived: Promise<ArchiveDay | undefined>;
  /** The file may be deleted. */
  readonly release: () => void;
  /** Settles once it is deleted. Never rejects. */
  readonly done: Promise<void>;
}

/** The archive files of some days, read in their order and downloaded ahead. */
export class FilesAhead {
  readonly #archive: Pick<ArchiveSource, 'withDay'>;
  readonly #series: Series;
  readonly #daysMs: readonly number[];
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  readonly #files: FileAhead[] = [];

  /** @param daysMs in the order in which they are read */
  constructor(
    archive: Pick<ArchiveSource, 'withDay'>,
    series: Series,
    daysMs: readonly number[],
    signal: AbortSignal,
  ) {
    this.#archive = archive;
    this.#series = series;
    this.#daysMs = daysMs;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
  }

  /**
   * Reads the file of one of the days and starts to download those after it.
   * @returns what `read` returns; undefined when there is no such file (yet)
   * @throws CdvaultError what ArchiveSource.withDay() throws, and what `read` throws
   */
  async read<T>(index: number, read: (file: ArchiveDay) => Promise<T>): Promise<T | undefined> {
    const last = Math.min(index + FILES_AHEAD, this.#daysMs.length - 1);
    for (let next = this.#files.length; next <= last; next += 1)
      this.#files.push(this.#download(this.#daysMs[next] ?? 0));
    const one = this.#files[index];
    if (one === undefined) throw new RangeError(`there is no day ${index}`);
    try {
      const file = await one.arrived;
      return file === undefined ? undefined : await read(file);
    } finally {
      one.release();
      await one.done;
    }
  }

  /** Ends downloads that nobody reads; resolves once their files are deleted. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the files are no longer needed'));
    for (const { release } of this.#files) release();
    await Promise.all(this.#files.map(async ({ done }) => done));
  }

  #download(dayMs: number): FileAhead {
    const arrived = Promise.withResolvers<ArchiveDay | undefined>();
    const released = Promise.withResolvers<void>();
    const used = this.#archive.withDay(this.#series, dayMs, this.#signal, async (file) => {
      arrived.resolve(file);
      await released.promise;
    });
    const done = used.then(() => arrived.resolve(undefined), arrived.reject);
    // Nobody may wait for it yet, or ever.
    arrived.promise.catch(() => undefined);
    return { arrived: arrived.promise, release: released.resolve, done };
  }
}
