import type { ForeignRow } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, dayWindowUs, hourWindowUs } from '../../domain/time/hour.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { backoffMs } from '../../domain/plan/backoff.ts';
import { claims, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import type { BulkLoad, BulkStore } from '../../ports/bulk-store.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { DayEdges } from './day-edges.ts';
import { edgeGaps } from './edge-gaps.ts';
import { hourLease } from '../leases.ts';
import { type DistilDeps, Distillery } from '../hour/distillery.ts';
import { type CheckedHour, checkedHour, recordHours } from '../hour/prove-hour.ts';
import { proveStored } from '../hour/prove-stored.ts';
import { DayReader, type FileHour } from './day-reader.ts';

export interface LoadDayDeps extends DistilDeps {
  readonly archive: ArchiveSource;
  readonly bulk: BulkStore;
  readonly source: TradeSource;
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
  readonly codeVersion: string;
}

/** Attempts to store the rows of a file. */
const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };

/** Hours are starts, oldest first. `unproven`: not proven by the file; to be fetched by REST if that is allowed. */
export type DayOutcome =
  /** Another worker holds the lease of one of the hours. */
  | { readonly kind: 'busy' }
  /** The exchange has no such file, or none yet. */
  | { readonly kind: 'absent'; readonly unproven: readonly number[] }
  | {
      readonly kind: 'recorded';
      readonly proven: readonly number[];
      readonly unproven: readonly number[];
      /** Whether the file is known to end before its day's last trade. */
      readonly isCut: boolean;
    };

/**
 * Loads a UTC day of a series from its archive file, hour by hour; each hour is proven like one that was
 * fetched by REST. A checksum says that a file is the one that was published, not that it is whole: an
 * hour is recorded only when its ids meet the trade before it and the trade after it. Where REST does not
 * reach, it is also recorded while such a trade is still unknown: see joinDays().
 * @param day `hours`: starts of the requested hours; other hours of the day are neither stored nor recorded
 * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, LEASE_LOST, READ_BACK_MISMATCH, and the sources' own
 */
export async function loadDay(
  deps: LoadDayDeps,
  day: JobPayloads['archive'],
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): Promise<DayOutcome> {
  const { market, symbol } = day;
  const due = await dueHours(deps, day);
  if (due.length === 0) return { kind: 'recorded', proven: day.hours, unproven: [], isCut: false };
  const leases = new Map<number, Lease>();
  try {
    // Waits for all answers, even after a failure: a lease granted later would never be released.
    const tried = await Promise.allSettled(
      due.map(async (hourMs) => {
        const lease = await deps.leases.tryAcquire(hourLease({ market, symbol, hourMs }), signal);
        if (lease !== undefined) leases.set(hourMs, lease);
      }),
    );
    const failed = tried.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (leases.size < due.length) return { kind: 'busy' };
    const held = AbortSignal.any([signal, ...[...leases.values()].map((lease) => lease.signal)]);
    const load = new DayLoad(deps, day, { leases, signal: held, onRows });
    const proven = await deps.archive.withDay(day, day.dayMs, held, (file) => load.run(file));
    if (proven === undefined) return { kind: 'absent', unproven: due };
    const unproven = due.filter((hour) => !proven.includes(hour));
    return { kind: 'recorded', proven, unproven, isCut: load.isCut };
  } finally {
    await Promise.all([...leases.values()].map((lease) => lease.release()));
  }
}

async function dueHours(
  { ledger }: LoadDayDeps,
  day: JobPayloads['archive'],
): Promise<readonly number[]> {
  const range = { startMs: day.dayMs, endMs: day.dayMs + DAY_MS };
  const proven = (await ledger.records(day, range)).filter(
    (record) =>
      verdictOf(record) === 'proven' &&
      // An hour in doubt is due unless this run has already recorded it.
      (day.refetch?.includes(record.hourMs) !== true || record.runId === day.runId),
  );
  return day.hours.filter((hourMs) => !proven.some((record) => record.hourMs === hourMs));
}

interface HeldDay {
  /** By the hour's start. */
  readonly leases: ReadonlyMap<number, Lease>;
  /** Aborts also when a lease is lost. */
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
}

class DayLoad {
  readonly #deps: LoadDayDeps;
  readonly #series: Series;
  readonly #day: JobPayloads['archive'];
  readonly #leases: ReadonlyMap<number, Lease>;
  readonly #edges: DayEdges;
  readonly #signal: AbortSignal;
  readonly #onRows: (rows: number) => void;

  constructor(deps: LoadDayDeps, day: JobPayloads['archive'], { leases, signal, onRows }: HeldDay) {
    this.#deps = deps;
    this.#series = { market: day.market, symbol: day.symbol };
    this.#day = day;
    this.#leases = leases;
    this.#edges = new DayEdges(deps, day, signal);
    this.#signal = signal;
    this.#onRows = onRows;
  }

  get isCut(): boolean {
    return this.#edges.isCut;
  }

  /** @returns the hours that are proven */
  async run(file: ArchiveDay): Promise<readonly number[]> {
    const hours = await this.#readPatiently(file);
    const wanted = hours.filter(({ hourMs }) => this.#leases.has(hourMs));
    return this.#record(wanted, file.foreign());
  }

  /** Reads the file again when the store did not take its rows: a load can't be repeated without it. */
  async #readPatiently(file: ArchiveDay): Promise<readonly FileHour[]> {
    const { bulk, clock, log } = this.#deps;
    for (let attempt = 0; ; attempt += 1) {
      const load = bulk.open(this.#series, this.#signal);
      let counted = 0;
      try {
        return await this.#read(file, load, (rows) => {
          counted += rows;
          this.#onRows(rows);
        });
      } catch (error) {
        await load.abandon();
        this.#signal.throwIfAborted();
        const mayPass = error instanceof CdvaultError && error.code === 'STORE_UNREACHABLE';
        if (!mayPass || attempt + 1 >= TRIES) throw error;
        this.#onRows(-counted);
        log.warn({ code: error.code, file: file.name, attempt }, `${error.message}; reading again`);
        const pauseMs = backoffMs(BACKOFF, attempt, Math.random(), BACKOFF.firstMs);
        await clock.sleep(pauseMs, this.#signal);
      }
    }
  }

  /** @returns all hours of the day; the rows of the requested ones are stored */
  async #read(
    file: ArchiveDay,
    load: BulkLoad,
    onRows: (rows: number) => void,
  ): Promise<readonly FileHour[]> {
    const { trades } = this.#deps;
    const reader = new DayReader({
      series: this.#series,
      dayMs: this.#day.dayMs,
      wanted: new Set(this.#leases.keys()),
      stored: new Set(
        (await trades.readBackHours(this.#series, dayWindowUs(this.#day.dayMs))).keys(),
      ),
      trades,
      load,
      distillery: await Distillery.open(this.#deps, this.#series),
      signal: this.#signal,
      onRows,
    });
    await reader.read(file, (first) => this.#edges.before(first, file));
    const { last } = reader;
    // The store commits while the trade after the file is looked for, which may take its time.
    const [next] = await Promise.all([
      last === undefined ? undefined : this.#edges.after(last, file),
      load.finish(),
    ]);
    return reader.end(next);
  }

  async #record(
    hours: readonly FileHour[],
    foreign: readonly ForeignRow[],
  ): Promise<readonly number[]> {
    const checked = (await this.#prove(hours, foreign)).filter((hour) => this.#isEnough(hour));
    const leases = checked.flatMap(({ record }) => this.#leases.get(record.hourMs) ?? []);
    if (checked.length > 0)
      await recordHours(this.#deps, checked, { runId: this.#day.runId, leases }, this.#signal);
    return checked
      .filter(({ record }) => verdictOf(record) === 'proven')
      .map(({ record }) => record.hourMs);
  }

  /** Hours without a hole, each compared with its stored rows. */
  async #prove(
    hours: readonly FileHour[],
    foreign: readonly ForeignRow[],
  ): Promise<readonly CheckedHour[]> {
    const stored = await this.#deps.trades.readBackHours(
      this.#series,
      dayWindowUs(this.#day.dayMs),
    );
    const checked: CheckedHour[] = [];
    for (const hour of hours) {
      if (hour.holes.length > 0) {
        await this.#buryReach(hour);
        continue;
      }
      const readBack = stored.get(hour.hourMs);
      const toProve = {
        ...hour,
        ...(readBack === undefined ? {} : { stored: readBack }),
        // None of the day's hours is in the ledger yet.
        isOfLater: (aggId: number) =>
          hours.some(({ hourMs, facts }) => hourMs > hour.hourMs && claims(facts, aggId)),
      };
      const buried = await proveStored(
        this.#deps,
        { ...this.#series, hourMs: hour.hourMs },
        toProve,
        this.#signal,
      );
      checked.push(this.#checked(hour, buried, foreign));
    }
    return checked;
  }

  /**
   * Buries rows of an hour that is not recorded from the file and whose time lies in the hour before:
   * there, no run would claim them.
   */
  async #buryReach({ hourMs, keys }: FileHour): Promise<void> {
    const { startUs } = hourWindowUs(hourMs);
    const early = keys.ids
      .map((aggId, index) => ({ aggId, timeUs: keys.timesUs[index] ?? startUs }))
      .filter(({ timeUs }) => timeUs < startUs);
    if (early.length > 0) await this.#deps.trades.bury(this.#series, early, this.#signal);
  }

  #checked(hour: FileHour, buried: readonly Gap[], foreign: readonly ForeignRow[]): CheckedHour {
    const { facts, contentHash, gaps } = hour;
    const checked = checkedHour(
      { ...this.#series, hourMs: hour.hourMs },
      {
        facts,
        contentHash,
        prev: facts.prev,
        endedAtMs: undefined,
        gaps: [...gaps, ...buried],
        source: 'archive',
      },
      this.#deps.clock.nowMs(),
    );
    const { record } = checked;
    return { record, gaps: [...checked.gaps, ...edgeGaps(record, this.#day.source, foreign)] };
  }

  /**
   * Whether to record an hour. An hour without rows whose neighbouring trade is unknown is recorded only
   * if the day that has that trade is still to be loaded.
   */
  #isEnough({ record }: CheckedHour): boolean {
    if (verdictOf(record) === 'proven') return true;
    if (this.#edges.asksRest(record.hourMs)) return false;
    const { edges = [] } = this.#day;
    return (
      record.rows > 0 ||
      (record.next === undefined && !edges.includes('after')) ||
      (record.prev === undefined && !edges.includes('before'))
    );
  }
}
