import { compactDay, DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Market } from '../../domain/market.ts';
import { isWithinRest } from '../../domain/plan/plan.ts';
import { isFilesOnly, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';
import type { JobOutcome, JobPayloads } from '../../ports/job-queue.ts';
import { type LookedIn, noteAwaited } from '../day/note-awaited.ts';
import { type FileDay, fileDays } from '../day/file-day.ts';
import type { LoadDaysDeps } from '../day/load-days.ts';
import { type JoinedDays, joinDays } from '../day/join-days.ts';
import { type DaySource, silentSource, untilForgotten } from '../day/silent-source.ts';
import { ingestFiles, type IngestedDay } from '../day/ingest-files.ts';
import { type Count, DONE, LATER, type SliceJobs, type SliceJobsDeps } from './slice-jobs.ts';

/** An unreachable host of archive files is not asked again for this long if REST serves the same hours. */
const HOST_REST_MS = 10 * MINUTE_MS;

/** How many hours of its days an archive job fetches by REST at a time. */
const HOURS_AT_ONCE = 4;

/** Tells which hours may be requested by REST, as the source knows it at the time of the call. */
function asksRest(source: DaySource, market: Market, nowMs: number) {
  return (hourMs: number) => isWithinRest(hourMs, { historyMs: source.historyMs(market), nowMs });
}

export type StretchJobsDeps = SliceJobsDeps &
  LoadDaysDeps & {
    readonly files: ArchiveFiles;
    /** Archive files in a folder of this machine. */
    readonly folder: (path: string) => ArchiveSource;
  };

/** Takes stretches of days from their archive files, and by REST what these do not prove. */
export class StretchJobs {
  readonly #deps: StretchJobsDeps;
  readonly #slices: SliceJobs;
  #hostDownUntilMs = 0;

  constructor(deps: StretchJobsDeps, slices: SliceJobs) {
    this.#deps = deps;
    this.#slices = slices;
  }

  run(job: JobPayloads['archive'], signal: AbortSignal): Promise<JobOutcome> {
    return this.#slices.countedOnce(job.runId, (count) => this.#run(job, signal, count));
  }

  async #run(job: JobPayloads['archive'], signal: AbortSignal, count: Count): Promise<JobOutcome> {
    const { source: rest, clock } = this.#deps;
    const isSilent = isFilesOnly(job.source ?? 'auto');
    const source = isSilent ? silentSource(rest) : untilForgotten(rest);
    const taken = await this.#take(job, source, signal);
    if (taken === 'busy') return LATER;
    for (const { day, proven } of taken)
      count({ slicesDone: proven.length, gaps: 0, atHourMs: day.dayMs });
    const isAsked = asksRest(source, job.market, clock.nowMs());
    const hours = taken.flatMap(({ unproven }) => unproven.filter(isAsked));
    const outcome = await this.#byRest(job, { source, hours }, signal, count);
    if ('again' in outcome) return outcome;
    const awaited = taken
      .map((one) => ({ ...one, unproven: one.unproven.filter((hourMs) => !isAsked(hourMs)) }))
      .filter(({ unproven }) => unproven.length > 0);
    for (const one of awaited) await this.#note(one, source);
    const joined = await this.#join(job, taken, isAsked, signal);
    for (const one of awaited) {
      const openEnd = joined.get(one.day.dayMs + DAY_MS)?.openEnd;
      if (openEnd !== undefined) await this.#note(one, source, openEnd);
      count({ slicesDone: one.unproven.length, gaps: one.unproven.length });
    }
    const changed = [...joined.values()].flatMap(({ days }) => days);
    await this.#askForStretch(job, changed);
    return DONE;
  }

  async #note(
    { day, unproven, file }: IngestedDay,
    { isForgotten }: DaySource,
    openEnd?: string,
  ): Promise<void> {
    const from: LookedIn = { file, isForgotten, source: day.source ?? 'auto', openEnd };
    await noteAwaited(this.#deps, day, unproven, from);
  }

  /**
   * Joins the midnights of days for which REST may not be asked: only the neighbouring files prove their
   * ends. Midnights within the stretch that are proven on both sides are left out.
   * @returns by midnight
   */
  async #join(
    job: JobPayloads['archive'],
    taken: readonly IngestedDay[],
    isAsked: (hourMs: number) => boolean,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, JoinedDays>> {
    const { market, symbol, runId, source = 'auto' } = job;
    const deps = { ...this.#deps, archive: this.#filesOf(job) };
    const proven = new Set(taken.flatMap((one) => one.proven));
    const ends = new Set(
      taken
        .filter(({ day }) => day.edges?.includes('after') === true)
        .map(({ day }) => day.dayMs + DAY_MS),
    );
    const borders = taken
      .filter(({ day }) => !isAsked(day.dayMs))
      .flatMap(({ day }) => [day.dayMs, day.dayMs + DAY_MS])
      .filter((borderMs) => !proven.has(borderMs) || !proven.has(borderMs - HOUR_MS));
    const joined = new Map<number, JoinedDays>();
    for (const borderMs of new Set(borders)) {
      const midnight = { market, symbol, runId, source, borderMs, isEnd: ends.has(borderMs) };
      joined.set(borderMs, await joinDays(deps, midnight, signal));
    }
    return joined;
  }

  /** Ingests days from their files. If the host does not answer, REST is used for days that it serves in full. */
  async #take(
    job: JobPayloads['archive'],
    source: DaySource,
    signal: AbortSignal,
  ): Promise<readonly IngestedDay[] | 'busy'> {
    const { clock, log } = this.#deps;
    const nowMs = clock.nowMs();
    const isInReach = ({ hours }: FileDay) => hours.every(asksRest(source, job.market, nowMs));
    const isDown = nowMs < this.#hostDownUntilMs;
    const days = fileDays(job);
    const byFile = days.filter((day) => !isDown || !isInReach(day));
    const byRest = days.filter((day) => !byFile.includes(day));
    const taken = await this.#takeFiles(job, byFile, { source, isInReach }, signal);
    if (taken === 'busy') return 'busy';
    const silent = taken.filter(({ unreachable }) => unreachable !== undefined);
    const [first] = silent;
    if (first?.unreachable !== undefined) {
      const lost = silent.find(({ day }) => !isInReach(day));
      if (lost?.unreachable !== undefined) throw lost.unreachable;
      log.warn(
        { symbol: job.symbol, error: first.unreachable.message },
        'the host of the archive files does not answer; using REST',
      );
      this.#hostDownUntilMs = nowMs + HOST_REST_MS;
    }
    const unasked = byRest.map((day) => ({
      day,
      proven: [],
      unproven: day.hours,
      file: undefined,
    }));
    return [...taken, ...unasked];
  }

  async #takeFiles(
    job: JobPayloads['archive'],
    days: readonly FileDay[],
    from: { readonly source: DaySource; readonly isInReach: (day: FileDay) => boolean },
    signal: AbortSignal,
  ): Promise<readonly IngestedDay[] | 'busy'> {
    if (days.length === 0) return [];
    const deps = { ...this.#deps, archive: this.#filesOf(job), ...from };
    let counted = 0;
    try {
      return await ingestFiles(deps, days, signal, (rows) => {
        counted += rows;
        this.#slices.countRun(job.runId, { rows });
      });
    } catch (error) {
      // The rows will be read again.
      this.#slices.countRun(job.runId, { rows: -counted });
      throw error;
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
    { market, symbol, runId, days, stretch }: JobPayloads['archive'],
    { source, hours }: { readonly source: DaySource; readonly hours: readonly number[] },
    signal: AbortSignal,
    count: Count,
  ): Promise<JobOutcome> {
    const waiting = [...hours];
    const refetch = new Set(days.flatMap((day) => day.refetch ?? []));
    let outcome = DONE;
    const work = async () => {
      for (let hourMs = waiting.shift(); hourMs !== undefined; hourMs = waiting.shift()) {
        const hour = { market, symbol, runId, hourMs, refetch: refetch.has(hourMs), stretch };
        const done = await source.unlessUnknown(this.#slices.slice(hour, signal, count), DONE);
        if ('again' in done) outcome = done;
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: HOURS_AT_ONCE }, work));
    // Throw only when no hour is in progress any more: the job's leases and counts end with it.
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcome;
  }

  /** Asks for the bars of a stretch, and of days around it that have changed with it. */
  async #askForStretch(job: JobPayloads['archive'], changed: readonly number[]): Promise<void> {
    const { runId, stretch } = job;
    const own = job.days.map(({ dayMs }) => dayMs);
    await this.#slices.askForBars(job, own, { runId, stretch });
    for (const dayMs of new Set(changed.filter((changedMs) => !own.includes(changedMs))))
      await this.#slices.askForBars(job, [dayMs], { runId, stretch: compactDay(dayMs) });
  }
}
