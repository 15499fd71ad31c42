import { DAY_MS } from '../../domain/time/hour.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { backoffMs } from '../../domain/plan/backoff.ts';
import { verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { BulkStore } from '../../ports/bulk-store.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import { hourLease } from '../leases.ts';
import { recordHours } from '../hour/prove-hour.ts';
import { checkDays } from './check-days.ts';
import { readDays, type ReadDays, type ReadDeps, type Unread } from './days-reader.ts';
import type { FileDay } from './file-day.ts';

export interface LoadDaysDeps extends ReadDeps {
  readonly bulk: BulkStore;
  readonly leases: Leases;
  readonly codeVersion: string;
}

/** Attempts to store the rows of the files. */
const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };

/** What a day's file proved. Hours are starts, oldest first. */
export interface DayOutcome {
  readonly proven: readonly number[];
  /** Not proven by the file; to be fetched by REST if that is allowed. */
  readonly unproven: readonly number[];
  /** Whether the file is known to end before its day's last trade. */
  readonly isCut: boolean;
  /** Set when the file was not read to its end. */
  readonly unread?: Unread | undefined;
}

/**
 * Loads UTC days of a series from their archive files, hour by hour; each hour is proven like one that was
 * fetched by REST. A checksum says that a file is the one that was published, not that it is whole: an
 * hour is recorded only when its ids meet the trade before it and the trade after it. Where REST does not
 * reach, it is also recorded while such a trade is still unknown: see joinDays(). All hours are stored in
 * one transaction and recorded in one. A faulty file is an outcome of its day and does not harm the others.
 * @param days of one series, oldest first, at least one. `hours`: starts of the requested hours; other hours
 *   are neither stored nor recorded
 * @returns what became of each day, by its start; 'busy' when another worker holds the lease of an hour
 * @throws CdvaultError LEASE_LOST, READ_BACK_MISMATCH, and the sources' own
 */
export async function loadDays(
  deps: LoadDaysDeps,
  days: readonly FileDay[],
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): Promise<ReadonlyMap<number, DayOutcome> | 'busy'> {
  const due = await dueDays(deps, days);
  const hours = due.flatMap((day) => day.hours);
  if (hours.length === 0) return outcomesOf(days, due, NOTHING_READ, new Set());
  const lease = await deps.leases.tryAcquire(
    hours.map((hourMs) => hourLease({ ...seriesOf(days), hourMs })),
    signal,
  );
  if (lease === undefined) return 'busy';
  try {
    const held = AbortSignal.any([signal, lease.signal]);
    const load = new DaysLoad(deps, due, { lease, signal: held, onRows });
    return outcomesOf(days, due, ...(await load.run()));
  } finally {
    await lease.release();
  }
}

const NOTHING_READ: ReadDays = { read: [], unread: new Map() };

function seriesOf([day]: readonly FileDay[]): Series {
  if (day === undefined) throw new RangeError('no days');
  return { market: day.market, symbol: day.symbol };
}

/** The days with hours that are not proven yet, and these hours. */
async function dueDays(
  { ledger }: LoadDaysDeps,
  days: readonly FileDay[],
): Promise<readonly FileDay[]> {
  const range = { startMs: days[0]?.dayMs ?? 0, endMs: (days.at(-1)?.dayMs ?? 0) + DAY_MS };
  const records = new Map(
    (await ledger.records(seriesOf(days), range)).map((record) => [record.hourMs, record]),
  );
  const isProven = (day: FileDay, hourMs: number) => {
    const record = records.get(hourMs);
    return (
      record !== undefined &&
      verdictOf(record) === 'proven' &&
      // An hour in doubt is due unless this run has already recorded it.
      (day.refetch?.includes(hourMs) !== true || record.runId === day.runId)
    );
  };
  return days
    .map((day) => ({ ...day, hours: day.hours.filter((hourMs) => !isProven(day, hourMs)) }))
    .filter(({ hours }) => hours.length > 0);
}

/** @param proven starts of the hours that this load has proven */
function outcomesOf(
  days: readonly FileDay[],
  due: readonly FileDay[],
  { read, unread }: ReadDays,
  proven: ReadonlySet<number>,
): ReadonlyMap<number, DayOutcome> {
  const wanted = new Map(due.map((day) => [day.dayMs, day.hours]));
  const cut = new Set(read.filter(({ edges }) => edges.isCut).map(({ day }) => day.dayMs));
  return new Map(
    days.map(({ dayMs, hours }): [number, DayOutcome] => {
      const unproven = (wanted.get(dayMs) ?? []).filter((hourMs) => !proven.has(hourMs));
      const isProven = (hourMs: number) => !unproven.includes(hourMs);
      const facts = { proven: hours.filter(isProven), unproven, isCut: cut.has(dayMs) };
      return [dayMs, { ...facts, unread: unread.get(dayMs) }];
    }),
  );
}

interface HeldDays {
  readonly lease: Lease;
  /** Aborts also when the lease is lost. */
  readonly signal: AbortSignal;
  readonly onRows: (rows: number) => void;
}

class DaysLoad {
  readonly #deps: LoadDaysDeps;
  readonly #days: readonly FileDay[];
  readonly #wanted: ReadonlySet<number>;
  readonly #held: HeldDays;

  constructor(deps: LoadDaysDeps, days: readonly FileDay[], held: HeldDays) {
    this.#deps = deps;
    this.#days = days;
    this.#wanted = new Set(days.flatMap(({ hours }) => hours));
    this.#held = held;
  }

  /** @returns the files, and the starts of the hours that are proven now */
  async run(): Promise<[ReadDays, ReadonlySet<number>]> {
    const { lease, signal } = this.#held;
    const found = await this.#readPatiently();
    if (found.read.length === 0) return [found, new Set()];
    const toCheck = { series: seriesOf(this.#days), days: found.read, wanted: this.#wanted };
    const checked = await checkDays(this.#deps, toCheck, signal);
    const runId = this.#days[0]?.runId ?? '';
    if (checked.length > 0)
      await recordHours(this.#deps, checked, { runId, leases: [lease] }, signal);
    const proven = checked.filter(({ record }) => verdictOf(record) === 'proven');
    return [found, new Set(proven.map(({ record }) => record.hourMs))];
  }

  /** Reads the files again when the store did not take their rows: a load can't be repeated without them. */
  async #readPatiently(): Promise<ReadDays> {
    const { bulk, clock, log } = this.#deps;
    const { signal, onRows } = this.#held;
    const series = seriesOf(this.#days);
    for (let attempt = 0; ; attempt += 1) {
      const load = bulk.open(series, signal);
      let counted = 0;
      const count = (rows: number) => {
        counted += rows;
        onRows(rows);
      };
      try {
        const toRead = { series, days: this.#days, wanted: this.#wanted, load, signal };
        return await readDays(this.#deps, { ...toRead, onRows: count });
      } catch (error) {
        await load.abandon();
        signal.throwIfAborted();
        const mayPass = error instanceof CdvaultError && error.code === 'STORE_UNREACHABLE';
        if (!mayPass || attempt + 1 >= TRIES) throw error;
        onRows(-counted);
        log.warn(
          { code: error.code, symbol: series.symbol, attempt },
          `${error.message}; reading again`,
        );
        const pauseMs = backoffMs(BACKOFF, attempt, Math.random(), BACKOFF.firstMs);
        await clock.sleep(pauseMs, signal);
      }
    }
  }
}
