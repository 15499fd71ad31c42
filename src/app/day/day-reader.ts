import { type AggTrade, nativeTimeUnit } from '../../domain/trade/agg-trade.ts';
import { type ContentHasher, contentHasher } from '../../domain/trade/content-hash.ts';
import type { HourDistiller } from '../../domain/bars/distiller.ts';
import { createHourRun } from '../../domain/proof/continuity.ts';
import type { HourRun, IdHole, RunFacts, RunKeys } from '../../domain/proof/hour-run.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, dayWindowUs, HOUR_MS, hourWindowUs, isoDay } from '../../domain/time/hour.ts';
import type { Neighbour } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { TradeBlock } from '../../domain/trade/trade-block.ts';
import type { ArchiveDay } from '../../ports/archive-source.ts';
import type { BulkLoad } from '../../ports/bulk-store.ts';
import type { Gap } from '../../ports/ledger.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import type { Distillery } from '../hour/distillery.ts';
import { StoredRows } from '../hour/stored-rows.ts';

/** One hour as read from a day's file. */
export interface FileHour {
  readonly hourMs: number;
  readonly facts: RunFacts;
  readonly contentHash: string;
  /** Empty for an hour that was not requested. */
  readonly keys: RunKeys;
  /** Stored rows that differ from the file's. */
  readonly gaps: readonly Gap[];
  /** Ids missing from the file in or before the hour. */
  readonly holes: readonly IdHole[];
}

interface DayToRead {
  readonly series: Series;
  readonly dayMs: number;
  /** Starts of the hours whose rows are to be stored. */
  readonly wanted: ReadonlySet<number>;
  /** Starts of the hours that have stored rows, which are compared before they are overwritten. */
  readonly stored: ReadonlySet<number>;
  readonly trades: TradeStore;
  readonly load: BulkLoad;
  readonly distillery: Distillery;
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
}

/**
 * Reads a day's file once, hour by hour: checks its ids, hashes it, and passes the requested rows to the
 * store. They are stored once `load` has finished.
 * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, and the store's own
 */
export class DayReader {
  readonly #day: DayToRead;
  readonly #hours: FileHour[] = [];
  #hour: OpenHour | undefined;
  #first: Neighbour | undefined;
  #last: Neighbour | undefined;

  constructor(day: DayToRead) {
    this.#day = day;
  }

  /** The file's first trade and its last one; undefined in a file without rows. */
  get first(): Neighbour | undefined {
    return this.#first;
  }

  get last(): Neighbour | undefined {
    return this.#last;
  }

  /** @param before returns the trade before the file's first one, if it is known */
  async read(
    file: ArchiveDay,
    before: (first: Neighbour) => Promise<Neighbour | undefined>,
  ): Promise<void> {
    for await (const block of file.rows()) {
      this.#day.signal.throwIfAborted();
      if (block.rows === 0) continue;
      this.#check(block);
      this.#hour ??= this.#open(this.#day.dayMs, block.aggIds[0] ?? 0, await this.#before(before));
      await this.#feed(block);
    }
  }

  /**
   * Ends the day's last hours.
   * @param next the trade after the file's last one, if it is known
   * @returns the hours of the day, oldest first; those after the last trade have no rows. If `next` lies
   *   in the day, the hours from its hour on are unknown and left out
   */
  end(next: AggTrade | undefined): readonly FileHour[] {
    // A trade with a lower id says nothing about what follows.
    const isAfter = next !== undefined && next.aggId > (this.#last?.id ?? -1);
    while (this.#hour !== undefined) {
      const { hourMs, run, holes } = this.#hour;
      if (isAfter && next.timeUs < hourWindowUs(hourMs).endUs) break;
      if (isAfter) holes.push(...run.accept([next]).holes);
      this.#close(this.#hour);
    }
    return this.#hours;
  }

  async #before(
    before: (first: Neighbour) => Promise<Neighbour | undefined>,
  ): Promise<Neighbour | undefined> {
    return this.#first === undefined ? undefined : before(this.#first);
  }

  /** Checks order, date and time unit before anything is stored. */
  #check({ rows, aggIds, timesUs, timeZeros }: TradeBlock): void {
    const { series, dayMs } = this.#day;
    const { startUs, endUs } = dayWindowUs(dayMs);
    let lastId = this.#last?.id ?? -1;
    for (let row = 0; row < rows; row += 1) {
      const aggId = aggIds[row] ?? 0;
      const timeUs = timesUs[row] ?? 0;
      if (aggId <= lastId) throw this.#badRow(`id ${aggId} follows id ${lastId}`);
      if (timeUs < startUs - BACKWARD_BOUND_MS * 1000 || timeUs >= endUs)
        throw this.#badRow(`id ${aggId} belongs to another day`);
      lastId = aggId;
    }
    const unit = timeZeros === 0 ? 'us' : 'ms';
    if (unit !== nativeTimeUnit(series.market, dayMs))
      throw this.#badRow(`times are in ${unit}, which is not the unit of that day`);
    this.#first ??= { id: aggIds[0] ?? 0, timeUs: timesUs[0] ?? 0 };
    this.#last = { id: lastId, timeUs: timesUs[rows - 1] ?? 0 };
  }

  #badRow(why: string): CdvaultError {
    const { series, dayMs } = this.#day;
    return new CdvaultError(
      'ARCHIVE_BAD_ROW',
      `archive of ${series.symbol} ${isoDay(dayMs)}: ${why}`,
    );
  }

  #open(hourMs: number, expectedId: number, prev: Neighbour | undefined): OpenHour {
    const { trades, series, wanted, stored, distillery } = this.#day;
    return {
      hourMs,
      run: createHourRun({ hourMs }, { expectedId, ...(prev === undefined ? {} : { prev }) }),
      hasher: contentHasher(),
      distiller: wanted.has(hourMs) ? distillery.start(hourMs) : undefined,
      keys: { ids: [], timesUs: [] },
      stored: stored.has(hourMs) ? new StoredRows(trades, series, hourMs) : undefined,
      gaps: [],
      holes: [],
      isWanted: wanted.has(hourMs),
    };
  }

  /** Passes rows to the hours that they belong to. */
  async #feed(block: TradeBlock): Promise<void> {
    for (let row = 0; this.#hour !== undefined && row < block.rows;) {
      const hour = this.#hour;
      const { from, to, holes, done } = hour.run.acceptBlock(block, row);
      hour.holes.push(...holes);
      hour.hasher.updateBlock(block, from, to);
      hour.distiller?.updateBlock(block, from, to);
      if (hour.isWanted) await this.#store(hour, block, from, to);
      row = to;
      if (done) this.#close(hour);
    }
  }

  async #store(hour: OpenHour, block: TradeBlock, from: number, to: number): Promise<void> {
    const { load, trades, series, signal } = this.#day;
    for (let row = from; row < to; row += 1) {
      hour.keys.ids.push(block.aggIds[row] ?? 0);
      hour.keys.timesUs.push(block.timesUs[row] ?? 0);
    }
    if (hour.stored === undefined) return load.add(block, from, to);
    const { unwritten, conflicts } = await hour.stored.compare(block.trades(from, to));
    hour.gaps.push(...conflicts);
    if (unwritten.length > 0) await trades.write(series, unwritten, signal);
  }

  #close(hour: OpenHour): void {
    const { hourMs, run, hasher, distiller, keys, gaps, holes } = hour;
    const { facts, nextId } = run;
    const contentHash = hasher.digest();
    if (distiller !== undefined) this.#day.distillery.keep(hourMs, contentHash, distiller);
    // An hour with holes is not recorded from the file; its rows are counted when another source has it.
    if (hour.isWanted && holes.length === 0) this.#day.onRows(facts.rows);
    this.#hours.push({ hourMs, facts, contentHash, keys, gaps, holes });
    const nextMs = hourMs + HOUR_MS;
    this.#hour =
      nextMs < this.#day.dayMs + DAY_MS
        ? this.#open(nextMs, nextId, facts.last ?? facts.prev)
        : undefined;
  }
}

/** The hour that is being read. */
interface OpenHour {
  readonly hourMs: number;
  readonly run: HourRun;
  readonly hasher: ContentHasher;
  /** undefined for an hour that was not requested. */
  readonly distiller: HourDistiller | undefined;
  readonly keys: RunKeys;
  readonly stored: StoredRows | undefined;
  readonly gaps: Gap[];
  readonly holes: IdHole[];
  readonly isWanted: boolean;
}
