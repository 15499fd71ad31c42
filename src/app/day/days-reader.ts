import { DAY_MS } from '../../domain/time/hour.ts';
import { CdvaultError, isArchiveFault } from '../../domain/errors.ts';
import type { Neighbour } from '../../domain/proof/ledger.ts';
import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import type { BulkLoad } from '../../ports/bulk-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { type DistilDeps, Distillery } from '../hour/distillery.ts';
import { DayEdges, namedOnly } from './day-edges.ts';
import { DayReader, type FileHour } from './day-reader.ts';
import { type FileDay, windowOf } from './file-day.ts';
import { FilesAhead } from './files-ahead.ts';

export interface ReadDeps extends DistilDeps {
  readonly archive: ArchiveSource;
  readonly source: TradeSource;
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/** A day whose file has been read. */
export interface ReadDay {
  readonly day: FileDay;
  readonly file: ArchiveDay;
  readonly edges: DayEdges;
  /** All hours of the day that the file knows, oldest first. */
  readonly hours: readonly FileHour[];
}

/** Why a day's file was not read. */
export type Unread =
  /** The exchange has no such file, or none yet. */
  | { readonly kind: 'absent' }
  /** It is faulty (`error.code`: ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW). */
  | { readonly kind: 'refused'; readonly error: CdvaultError }
  /** Its host does not answer. */
  | { readonly kind: 'unreachable'; readonly error: CdvaultError };

/** What became of each day, by its start. */
export interface ReadDays {
  readonly read: readonly ReadDay[];
  readonly unread: ReadonlyMap<number, Unread>;
}

interface DaysToRead {
  readonly series: Series;
  /** Oldest first. */
  readonly days: readonly FileDay[];
  /** Starts of the hours whose rows are to be stored. */
  readonly wanted: ReadonlySet<number>;
  readonly load: BulkLoad;
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
}

/** A file that was read, before its last hours are ended. */
interface OpenDay extends Omit<ReadDay, 'hours'> {
  readonly reader: DayReader;
}

/**
 * Reads the files of days, one after the other, into one load, and finishes the load. The rows of a file that
 * turns out to be faulty are left out of it. Where two days meet, each gives the other its nearest trade.
 * @throws CdvaultError of the store, and of the sources except for faults of single files
 */
export async function readDays(deps: ReadDeps, toRead: DaysToRead): Promise<ReadDays> {
  const { load } = toRead;
  const reader = await DaysReader.open(deps, toRead);
  const { opened, unread } = await reader.readAll();
  // The store commits while the trades after the files are looked for, which may take its time.
  const [read] = await Promise.all([
    reader.endAll(opened),
    opened.length > 0 ? load.finish() : load.abandon(),
  ]);
  return { read, unread };
}

class DaysReader {
  readonly #deps: ReadDeps;
  readonly #toRead: DaysToRead;
  readonly #stored: ReadonlySet<number>;
  readonly #distillery: Distillery;

  static async open(deps: ReadDeps, toRead: DaysToRead): Promise<DaysReader> {
    const { series, days } = toRead;
    const stored = new Set((await deps.trades.readBackHours(series, windowOf(days))).keys());
    return new DaysReader(deps, toRead, stored, await Distillery.open(deps, series));
  }

  // oxlint-disable-next-line max-params -- called by open() alone
  private constructor(
    deps: ReadDeps,
    toRead: DaysToRead,
    stored: ReadonlySet<number>,
    distillery: Distillery,
  ) {
    this.#deps = deps;
    this.#toRead = toRead;
    this.#stored = stored;
    this.#distillery = distillery;
  }

  async readAll(): Promise<{ opened: OpenDay[]; unread: ReadonlyMap<number, Unread> }> {
    const { series, days, signal } = this.#toRead;
    const opened: OpenDay[] = [];
    const unread = new Map<number, Unread>();
    let silent: Unread | undefined;
    const daysMs = days.map(({ dayMs }) => dayMs);
    const files = new FilesAhead(this.#deps.archive, series, daysMs, signal);
    try {
      for (const [index, day] of days.entries()) {
        // A host that did not answer is not asked for the next file.
        const one =
          silent ??
          (await this.#read(async (onRows) =>
            files.read(index, async (file) => this.#readFile(day, file, opened.at(-1), onRows)),
          ));
        if ('reader' in one) opened.push(one);
        else unread.set(day.dayMs, one);
        if ('kind' in one && one.kind === 'unreachable') silent = one;
      }
    } finally {
      await files.close();
    }
    return { opened, unread };
  }

  async endAll(opened: readonly OpenDay[]): Promise<ReadDay[]> {
    const read: ReadDay[] = [];
    for (const [index, { reader, day, file, edges }] of opened.entries()) {
      const { last } = reader;
      const next =
        last === undefined
          ? undefined
          : (firstOf(opened[index + 1], day, last) ?? (await edges.after(last, file)));
      read.push({ day, file, edges, hours: reader.end(next) });
    }
    return read;
  }

  /** Holds the rows of a file back until it is read to its end. @param readFile undefined: there is no file */
  async #read(
    readFile: (onRows: (rows: number) => void) => Promise<OpenDay | undefined>,
  ): Promise<OpenDay | Unread> {
    const { days, load, signal, onRows } = this.#toRead;
    // One file alone may be large: its rows are not held back, and a fault of it ends the load.
    const isHeld = days.length > 1;
    let counted = 0;
    let isRead = false;
    if (isHeld) load.hold();
    try {
      const opened = await readFile((rows) => {
        counted += rows;
        // Progress of a thin day is one message, and one for its last hour.
        if (!isHeld || isRead) onRows(rows);
      });
      if (isHeld) {
        await load.keep();
        isRead = true;
        onRows(counted);
      }
      return opened ?? { kind: 'absent' };
    } catch (error) {
      signal.throwIfAborted();
      const unread = asUnread(error);
      if (unread === undefined) throw error;
      if (isHeld) load.drop();
      else onRows(-counted);
      return unread;
    }
  }

  // oxlint-disable-next-line max-params -- the day's own four
  async #readFile(
    day: FileDay,
    file: ArchiveDay,
    before: OpenDay | undefined,
    onRows: (rows: number) => void,
  ): Promise<OpenDay> {
    const { series, wanted, load, signal } = this.#toRead;
    const edges = new DayEdges(this.#deps, day, signal);
    const reader = new DayReader({
      series,
      dayMs: day.dayMs,
      wanted,
      stored: this.#stored,
      trades: this.#deps.trades,
      load,
      distillery: this.#distillery,
      signal,
      onRows,
    });
    await reader.read(
      file,
      async (first) => lastOf(before, day, first) ?? edges.before(first, file),
    );
    return { day, file, edges, reader };
  }
}

/** The last trade of the day before, if no id is missing between. */
function lastOf(
  before: OpenDay | undefined,
  { dayMs }: FileDay,
  first: Neighbour,
): Neighbour | undefined {
  if (before === undefined || before.day.dayMs + DAY_MS !== dayMs) return undefined;
  const { last } = before.reader;
  return last?.id === first.id - 1 ? last : undefined;
}

/** The first trade of the day after, if no id is missing between. */
function firstOf(
  after: OpenDay | undefined,
  { dayMs }: FileDay,
  last: Neighbour,
): AggTrade | undefined {
  if (after === undefined || after.day.dayMs - DAY_MS !== dayMs) return undefined;
  const { first } = after.reader;
  return first?.id === last.id + 1 ? namedOnly(first) : undefined;
}

/** @returns undefined for errors that are not about one file or its host */
function asUnread(error: unknown): Unread | undefined {
  if (isArchiveFault(error)) return { kind: 'refused', error };
  return error instanceof CdvaultError && error.code === 'ARCHIVE_UNREACHABLE'
    ? { kind: 'unreachable', error }
    : undefined;
}
