import { type AggTrade, nativeTimeUnit } from '../domain/agg-trade.ts';
import { contentHasher } from '../domain/content-hash.ts';
import { createHourRun, type HourRun } from '../domain/continuity.ts';
import { CdvaultError } from '../domain/errors.ts';
import { DAY_MS, HOUR_MS, hourWindowUs, isoDay } from '../domain/hour.ts';
import { type Neighbour, verdictOf } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { ArchiveDay, ArchiveSource } from '../ports/archive-source.ts';
import type { Lease } from '../ports/lease.ts';
import type { Gap } from '../ports/ledger.ts';
import { BATCH_ROWS } from './fetch-hour.ts';
import { hourLease, type IngestDeps } from './ingest-slice.ts';
import { proveHour, recordHour } from './prove-hour.ts';
import { StoredRows } from './stored-rows.ts';

export interface IngestDayDeps extends IngestDeps {
  readonly archive: ArchiveSource;
}

/** Hours are starts, oldest first. `left` could not be proven by the file: REST is asked for them. */
export type DayOutcome =
  /** Another worker is at one of the hours. */
  | { readonly kind: 'busy' }
  /** The exchange has no such file, or none yet. */
  | { readonly kind: 'absent'; readonly left: readonly number[] }
  | {
      readonly kind: 'recorded';
      readonly proven: readonly number[];
      readonly left: readonly number[];
    };

/**
 * Takes a UTC day of a series from the exchange's archive file, hour by hour, each proven as one that
 * was fetched by REST is. A checksum says that a file is the one that was published, not that it is
 * whole: an hour is recorded only when its ids meet the trade before it and the trade after it.
 * @param hours starts of the hours that are wanted; others of the day are neither stored nor recorded
 * @throws CdvaultError ARCHIVE_BAD_FILE, ARCHIVE_BAD_ROW, LEASE_LOST, READ_BACK_MISMATCH, and the sources' own
 */
export async function ingestDay(
  deps: IngestDayDeps,
  day: Series & {
    readonly dayMs: number;
    readonly hours: readonly number[];
    readonly runId: string;
  },
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): Promise<DayOutcome> {
  const series: Series = { market: day.market, symbol: day.symbol };
  const due = await dueHours(deps, day);
  if (due.length === 0) return { kind: 'recorded', proven: day.hours, left: [] };
  const leases = new Map<number, Lease>();
  try {
    for (const hourMs of due) {
      const lease = await deps.leases.tryAcquire(hourLease(series, hourMs));
      if (lease === undefined) return { kind: 'busy' };
      leases.set(hourMs, lease);
    }
    const held = AbortSignal.any([signal, ...[...leases.values()].map((lease) => lease.signal)]);
    const proven = await deps.archive.withDay(series, day.dayMs, held, (file) =>
      new DayIngest(deps, series, day, leases, held, onRows).run(file),
    );
    if (proven === undefined) return { kind: 'absent', left: due };
    return { kind: 'recorded', proven, left: due.filter((hour) => !proven.includes(hour)) };
  } finally {
    await Promise.all([...leases.values()].map((lease) => lease.release()));
  }
}

async function dueHours(
  { ledger }: IngestDayDeps,
  day: Series & { readonly dayMs: number; readonly hours: readonly number[] },
): Promise<readonly number[]> {
  const range = { startMs: day.dayMs, endMs: day.dayMs + DAY_MS };
  const proven = (await ledger.records(day, range)).filter(
    (record) => verdictOf(record) === 'proven',
  );
  return day.hours.filter((hourMs) => !proven.some((record) => record.hourMs === hourMs));
}

/** One hour in the making. */
interface OpenHour {
  readonly hourMs: number;
  readonly run: HourRun;
  readonly hasher: ReturnType<typeof contentHasher>;
  readonly keys: { readonly ids: number[]; readonly timesUs: number[] };
  readonly stored: StoredRows | undefined;
  readonly gaps: Gap[];
  readonly isWanted: boolean;
  isWhole: boolean;
}

class DayIngest {
  readonly #deps: IngestDayDeps;
  readonly #series: Series;
  readonly #dayMs: number;
  readonly #runId: string;
  readonly #leases: ReadonlyMap<number, Lease>;
  readonly #signal: AbortSignal;
  readonly #onRows: (rows: number) => void;
  readonly #proven: number[] = [];
  #batch: AggTrade[] = [];
  #hour: OpenHour | undefined;
  #lastId = -1;

  constructor(
    deps: IngestDayDeps,
    series: Series,
    { dayMs, runId }: { readonly dayMs: number; readonly runId: string },
    leases: ReadonlyMap<number, Lease>,
    signal: AbortSignal,
    onRows: (rows: number) => void,
  ) {
    this.#deps = deps;
    this.#series = series;
    this.#dayMs = dayMs;
    this.#runId = runId;
    this.#leases = leases;
    this.#signal = signal;
    this.#onRows = onRows;
  }

  /** @returns hours that are proven and recorded */
  async run(file: ArchiveDay): Promise<readonly number[]> {
    for await (const rows of file.rows()) {
      this.#signal.throwIfAborted();
      const first = rows[0];
      if (first === undefined) continue;
      this.#check(rows);
      this.#hour ??= await this.#open(this.#dayMs, first.aggId, await this.#before(first));
      await this.#feed(rows);
    }
    const next = this.#lastId < 0 ? undefined : await this.#behind();
    // A next trade of this very day: the file is cut, and REST has the rest.
    if (next !== undefined && next.timeUs >= (this.#dayMs + DAY_MS) * 1000)
      await this.#feed([next]);
    await this.#flush();
    return this.#proven;
  }

  /** Order, date and unit, before anything is stored. */
  #check(rows: readonly AggTrade[]): void {
    const { startUs, endUs } = {
      startUs: this.#dayMs * 1000,
      endUs: (this.#dayMs + DAY_MS) * 1000,
    };
    const isMs = this.#unit() === 'ms';
    for (const { aggId, timeUs } of rows) {
      if (aggId <= this.#lastId) throw this.#badRow(`id ${aggId} follows id ${this.#lastId}`);
      if (timeUs < startUs || timeUs >= endUs) throw this.#badRow(`id ${aggId} is of another day`);
      if (isMs && timeUs % 1000 !== 0) throw this.#badRow(`id ${aggId} is in microseconds`);
      this.#lastId = aggId;
    }
  }

  #unit(): 'ms' | 'us' {
    return nativeTimeUnit(this.#series.market, this.#dayMs);
  }

  #badRow(why: string): CdvaultError {
    return new CdvaultError(
      'ARCHIVE_BAD_ROW',
      `archive of ${this.#series.symbol} ${isoDay(this.#dayMs)}: ${why}`,
    );
  }

  /** The trade before the day's first: from the store, else from the exchange. */
  async #before({ aggId }: AggTrade): Promise<Neighbour | undefined> {
    if (aggId === 0) return undefined;
    const record = await this.#deps.ledger.record(this.#series, this.#dayMs - HOUR_MS);
    const known = record?.last ?? record?.prev;
    if (known?.id === aggId - 1) return known;
    const [row] = await this.#ask(aggId - 1);
    return row?.aggId === aggId - 1 ? { id: row.aggId, timeUs: row.timeUs } : undefined;
  }

  /** The trade after the day's last. */
  async #behind(): Promise<AggTrade | undefined> {
    const [row] = await this.#ask(this.#lastId + 1);
    return row?.aggId === this.#lastId + 1 ? row : undefined;
  }

  #ask(fromId: number): Promise<readonly AggTrade[]> {
    return this.#deps.source.page(this.#series, fromId, this.#unit(), this.#signal, 1);
  }

  async #open(hourMs: number, expectedId: number, prev: Neighbour | undefined): Promise<OpenHour> {
    const isWanted = this.#leases.has(hourMs);
    const window = hourWindowUs(hourMs);
    const hasStored = isWanted && (await this.#deps.trades.readBack(this.#series, window)).rows > 0;
    return {
      hourMs,
      run: createHourRun({ hourMs }, { expectedId, ...(prev === undefined ? {} : { prev }) }),
      hasher: contentHasher(),
      keys: { ids: [], timesUs: [] },
      stored: hasStored ? new StoredRows(this.#deps.trades, this.#series, hourMs) : undefined,
      gaps: [],
      isWanted,
      isWhole: true,
    };
  }

  /** Gives rows to the hour that they belong to, and each hour that ends to its proof. */
  async #feed(rows: readonly AggTrade[]): Promise<void> {
    let rest = rows;
    while (this.#hour !== undefined) {
      const hour = this.#hour;
      const { kept, holes, done, nextId } = hour.run.accept(rest);
      if (holes.length > 0) hour.isWhole = false;
      if (hour.isWanted) await this.#store(hour, kept);
      if (!done) return;
      await this.#close(hour);
      const hourMs = hour.hourMs + HOUR_MS;
      const { last, prev } = hour.run.facts;
      this.#hour =
        hourMs < this.#dayMs + DAY_MS ? await this.#open(hourMs, nextId, last ?? prev) : undefined;
      rest = rest.filter(({ aggId }) => aggId >= nextId);
    }
  }

  async #store(hour: OpenHour, kept: readonly AggTrade[]): Promise<void> {
    for (const trade of kept) {
      hour.hasher.update(trade);
      hour.keys.ids.push(trade.aggId);
      hour.keys.timesUs.push(trade.timeUs);
    }
    const compared = await hour.stored?.compare(kept);
    hour.gaps.push(...(compared?.conflicts ?? []));
    for (const trade of compared?.unwritten ?? kept) this.#batch.push(trade);
    if (this.#batch.length >= BATCH_ROWS) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    await this.#deps.trades.write(this.#series, this.#batch, this.#signal);
    this.#onRows(this.#batch.length);
    this.#batch = [];
  }

  async #close({ hourMs, run, hasher, keys, gaps, isWanted, isWhole }: OpenHour): Promise<void> {
    const lease = this.#leases.get(hourMs);
    if (!isWanted || !isWhole || lease === undefined) return;
    await this.#flush();
    const contentHash = hasher.digest();
    const fetched = { facts: run.facts, contentHash, keys, gaps, source: 'archive' as const };
    const judged = await proveHour(this.#deps, this.#series, hourMs, fetched, this.#signal);
    if (verdictOf(judged.record) !== 'proven') return;
    await recordHour(this.#deps, judged, this.#runId, lease, this.#signal);
    this.#proven.push(hourMs);
  }
}
