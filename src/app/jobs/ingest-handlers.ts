import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, floorTo, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Market, Series } from '../../domain/market.ts';
import { isWithinRest } from '../../domain/plan/plan.ts';
import { isFilesOnly, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';
import type {
  JobHandlers,
  JobOutcome,
  JobPayloads,
  JobQueue,
  RunProgress,
} from '../../ports/job-queue.ts';
import type { Gap } from '../../ports/ledger.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { type LookedIn, noteAwaited } from '../day/note-awaited.ts';
import type { LoadDayDeps } from '../day/load-day.ts';
import { type IngestDeps, ingestHour } from '../hour/ingest-hour.ts';
import { type JoinedDays, joinDays } from '../day/join-days.ts';
import { type DaySource, silentSource, untilForgotten } from '../day/silent-source.ts';
import {
  recordUnreachable,
  ingestArchiveDay,
  type IngestedDay,
} from '../day/ingest-archive-day.ts';

/** Delay when another worker holds the lease: a slice of the busiest hour takes about this long. */
const BUSY_MS = 2_000;

/** An unreachable host of archive files is not asked again for this long if REST serves the same hours. */
const HOST_REST_MS = 10 * MINUTE_MS;

/** How many hours of its day an archive job fetches by REST at a time. */
const HOURS_AT_ONCE = 4;

export const DONE: JobOutcome = { done: true };
export const LATER: JobOutcome = { again: { delayMs: BUSY_MS } };

/** Whether a gap means missing trades; the other classes are informational. */
function isLoss({ gapClass }: Gap): boolean {
  return gapClass === 'missing_ids' || gapClass === 'retention';
}

/** Tells which hours may be requested by REST, as the source knows it at the time of the call. */
function asksRest(source: DaySource, market: Market, nowMs: number) {
  return (hourMs: number) => isWithinRest(hourMs, { historyMs: source.historyMs(market), nowMs });
}

export type IngestHandlerDeps = IngestDeps &
  LoadDayDeps & {
    readonly files: ArchiveFiles;
    /** Archive files in a folder of this machine. */
    readonly folder: (path: string) => ArchiveSource;
    readonly queue: JobQueue;
    readonly governor: WeightGovernor;
  };

/** The jobs that ingest trades: an hour by REST, a day from its archive file. */
export function createIngestHandlers(
  deps: IngestHandlerDeps,
): Pick<JobHandlers, 'archive' | 'slice'> {
  const jobs = new IngestJobs(deps);
  return {
    archive: (day, { signal }) =>
      isFilesOnly(day.source ?? 'auto')
        ? jobs.archive(day, signal)
        : jobs.unlessBanned(day.market, () => jobs.archive(day, signal)),
    slice: (slice, { signal }) =>
      jobs.unlessBanned(slice.market, () =>
        jobs.countedOnce(slice.runId, (count) => jobs.slice(slice, signal, count)),
      ),
  };
}

/** Reports finished hours, for progress. */
type Count = (change: Pick<RunProgress, 'slicesDone' | 'gaps'> & Partial<RunProgress>) => void;

class IngestJobs {
  readonly #deps: IngestHandlerDeps;
  #hostDownUntilMs = 0;

  constructor(deps: IngestHandlerDeps) {
    this.#deps = deps;
  }

  /** Runs work unless the market is banned. During a ban, also one that the work itself meets, the job is delayed. */
  async unlessBanned(market: Market, work: () => Promise<JobOutcome>): Promise<JobOutcome> {
    const { pause } = await this.#deps.governor.state(market);
    if (pause?.reason === 'banned') return this.#afterBan(pause.untilMs);
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CdvaultError) || error.code !== 'EXCHANGE_BANNED') throw error;
      return this.#afterBan(error.untilMs ?? 0);
    }
  }

  /** Undoes the counts of an attempt that fails or is delayed: the next attempt counts all hours again. */
  async countedOnce(
    runId: string,
    work: (count: Count) => Promise<JobOutcome>,
  ): Promise<JobOutcome> {
    let [slicesDone, gaps] = [0, 0];
    const undo = () => this.#count(runId, { slicesDone: -slicesDone, gaps: -gaps });
    try {
      const outcome = await work((change) => {
        slicesDone += change.slicesDone;
        gaps += change.gaps;
        this.#count(runId, change);
      });
      if ('again' in outcome) undo();
      return outcome;
    } catch (error) {
      undo();
      throw error;
    }
  }

  async slice(slice: JobPayloads['slice'], signal: AbortSignal, count: Count): Promise<JobOutcome> {
    const { runId, hourMs } = slice;
    const onRows = (rows: number) => this.#count(runId, { rows });
    const outcome = await ingestHour(this.#deps, slice, signal, onRows);
    if (outcome.kind === 'busy') return LATER;
    await this.#askForBars(runId, slice, hourMs);
    const gaps = outcome.kind === 'recorded' ? outcome.gaps.filter(isLoss).length : 0;
    count({ slicesDone: 1, gaps, atHourMs: hourMs });
    return DONE;
  }

  archive(day: JobPayloads['archive'], signal: AbortSignal): Promise<JobOutcome> {
    return this.countedOnce(day.runId, (count) => this.#archive(day, signal, count));
  }

  async #archive(
    day: JobPayloads['archive'],
    signal: AbortSignal,
    count: Count,
  ): Promise<JobOutcome> {
    const { runId, dayMs } = day;
    const { source: rest, clock } = this.#deps;
    const isSilent = isFilesOnly(day.source ?? 'auto');
    const source = isSilent ? silentSource(rest) : untilForgotten(rest);
    const taken = await this.#take(day, source, signal);
    if (taken === 'busy') return LATER;
    count({ slicesDone: taken.proven.length, gaps: 0, atHourMs: dayMs });
    const nowMs = clock.nowMs();
    const isAsked = asksRest(source, day.market, nowMs);
    const toFetch = { source, hours: taken.unproven.filter(isAsked) };
    const outcome = await this.#byRest(day, toFetch, signal, count);
    if ('again' in outcome) return outcome;
    const awaited = taken.unproven.filter((hourMs) => !isAsked(hourMs));
    const seen = { file: taken.file, isForgotten: source.isForgotten };
    if (awaited.length > 0) await this.#note(day, awaited, seen);
    // The neighbouring day may have waited for this one.
    const joined = isAsked(dayMs) ? { days: [] } : await this.#join(day, signal);
    if (awaited.length > 0 && joined.openEnd !== undefined)
      await this.#note(day, awaited, { ...seen, openEnd: joined.openEnd });
    count({ slicesDone: awaited.length, gaps: awaited.length });
    for (const changedMs of new Set([dayMs, ...joined.days]))
      await this.#askForBars(runId, day, changedMs);
    return DONE;
  }

  async #note(
    day: JobPayloads['archive'],
    hours: readonly number[],
    seen: Omit<LookedIn, 'source'>,
  ): Promise<void> {
    await noteAwaited(this.#deps, day, hours, { ...seen, source: day.source ?? 'auto' });
  }

  /** Joins both midnights of a day. Where REST may not be asked, only the neighbouring files prove a day's ends. */
  async #join(day: JobPayloads['archive'], signal: AbortSignal): Promise<JoinedDays> {
    const { market, symbol, runId, dayMs, edges = [], source = 'auto' } = day;
    const deps = { ...this.#deps, archive: this.#filesOf(day) };
    const midnight = { market, symbol, runId, source, borderMs: dayMs, isEnd: false };
    const before = await joinDays(deps, midnight, signal);
    const isEnd = edges.includes('after');
    const after = await joinDays(deps, { ...midnight, borderMs: dayMs + DAY_MS, isEnd }, signal);
    return { days: [...before.days, ...after.days], openEnd: after.openEnd };
  }

  /** Ingests the day from its file. If the host does not answer, REST is used, provided it serves all the hours. */
  async #take(
    day: JobPayloads['archive'],
    source: DaySource,
    signal: AbortSignal,
  ): Promise<IngestedDay | 'busy'> {
    const { runId, hours } = day;
    const { clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    const byRest = { proven: [], unproven: hours, file: undefined };
    const isInReach = hours.every(asksRest(source, day.market, nowMs));
    if (isInReach && nowMs < this.#hostDownUntilMs) return byRest;
    const deps = { ...this.#deps, archive: this.#filesOf(day), source };
    let counted = 0;
    try {
      return await ingestArchiveDay(deps, { ...day, isInReach }, signal, (rows) => {
        counted += rows;
        this.#count(runId, { rows });
      });
    } catch (error) {
      // The rows will be read again.
      this.#count(runId, { rows: -counted });
      if (!(error instanceof CdvaultError) || error.code !== 'ARCHIVE_UNREACHABLE' || !isInReach)
        throw error;
      log.warn(
        { symbol: day.symbol, error: error.message },
        'the host of the archive files does not answer; using REST',
      );
      this.#hostDownUntilMs = nowMs + HOST_REST_MS;
      await recordUnreachable(deps, { ...day, isInReach }, error);
      return byRest;
    }
  }

  #filesOf({ source = 'auto' }: JobPayloads['archive']): ArchiveSource {
    const path = sourceFolder(source);
    return path === undefined ? this.#deps.archive : this.#deps.folder(path);
  }

  /**
   * Fetches hours by REST, HOURS_AT_ONCE at a time, like separate slice jobs. Hours of a symbol that the
   * exchange turns out not to know are skipped.
   */
  async #byRest(
    { market, symbol, runId, refetch = [] }: JobPayloads['archive'],
    { source, hours }: { readonly source: DaySource; readonly hours: readonly number[] },
    signal: AbortSignal,
    count: Count,
  ): Promise<JobOutcome> {
    const waiting = [...hours];
    let outcome = DONE;
    const work = async () => {
      for (let hourMs = waiting.shift(); hourMs !== undefined; hourMs = waiting.shift()) {
        const hour = { market, symbol, runId, hourMs, refetch: refetch.includes(hourMs) };
        const done = await source.unlessUnknown(this.slice(hour, signal, count), DONE);
        if ('again' in done) outcome = done;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: HOURS_AT_ONCE }, work));
    // Throw only when no hour is in progress any more: the job's leases and counts end with it.
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcome;
  }

  /** A ban may last for days: the job waits for its end in the queue, which uses no attempt and no worker. */
  #afterBan(untilMs: number): JobOutcome {
    return { again: { delayMs: Math.max(BUSY_MS, untilMs - this.#deps.clock.nowMs()) } };
  }

  /**
   * Adds a bars job for the day of a slice whose flow's bars job has already run: the slice had failed
   * for good and was retried by hand, or another run's flow came first.
   */
  async #askForBars(runId: string, series: Series, hourMs: number): Promise<void> {
    const { queue } = this.#deps;
    const dayMs = floorTo(hourMs, DAY_MS);
    const [state] = await queue.dayStates(runId, series, [dayMs]);
    if (state !== 'pending') await queue.addBars(series, dayMs);
  }

  /** Updates progress counters. They are for display only, so an error never fails a job. */
  #count(runId: string, change: Partial<RunProgress>): void {
    this.#deps.queue.addProgress(runId, change).catch((error: unknown) => {
      this.#deps.log.debug({ error: String(error) }, 'a progress counter was lost');
    });
  }
}
