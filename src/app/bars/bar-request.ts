import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { JobContext } from '../../ports/job-queue.ts';
import type { BuildOutcome, WantedBars } from './series-build.ts';

/** What became of the days of one request. `partly_built`: some are built, and the rest is asked for again. */
export type Built = Exclude<BuildOutcome, CdvaultError> | 'partly_built';

/**
 * How long days wait for others. Days of a thin series' stretch may wait, since the partitions that series
 * share are rewritten for each batch: the months of 200 thin series are read in about nine minutes. The bars of a busy day cost
 * little beside its trades, and are built while the next day is read; recent days are looked at.
 */
export const PATIENCE_MS = { stretch: 15 * 60_000, day: 10_000, recent: 3_000 };
const RECENT_MS = 2 * DAY_MS;

/**
 * Days of one series whose bars are asked for. They are built in one or several spans of days, oldest first.
 *
 * States:
 *   open   → open (the days of a span are built, or were fresh), over
 *   over   all days are built, or a span failed or was busy → nothing: later days are not tried
 */
export class BarRequest {
  readonly series: Series;
  readonly ended: Promise<Built>;
  readonly signal: AbortSignal;
  readonly #context: JobContext;
  readonly #sinceMs: number;
  readonly #end = Promise.withResolvers<Built>();
  #days: readonly number[];
  #sum: 'nothing_known' | 'fresh' | 'built' = 'nothing_known';
  #isOver = false;

  constructor({ series, days }: WantedBars, context: JobContext, nowMs: number) {
    this.series = series;
    this.signal = context.signal;
    this.ended = this.#end.promise;
    this.#context = context;
    this.#sinceMs = nowMs;
    this.#days = days;
  }

  /** Those that are not built yet. */
  get days(): readonly number[] {
    return this.#days;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether its worker takes no more jobs. */
  get isEnding(): boolean {
    return this.#context.isEnding?.() === true;
  }

  patienceMs(nowMs: number): number {
    if (this.#days.some((dayMs) => dayMs >= nowMs - RECENT_MS)) return PATIENCE_MS.recent;
    return this.#days.length > 1 ? PATIENCE_MS.stretch : PATIENCE_MS.day;
  }

  isLate(nowMs: number): boolean {
    if (this.isEnding) return true;
    return nowMs - this.#sinceMs >= this.patienceMs(nowMs);
  }

  /** @param outcome of its days before the end of the span */
  take(outcome: BuildOutcome, endMs: number): void {
    if (outcome instanceof CdvaultError) return this.fail(outcome);
    if (outcome === 'busy') return this.putOff();
    if (outcome === 'built' || this.#sum === 'nothing_known') this.#sum = outcome;
    this.#days = this.#days.filter((dayMs) => dayMs >= endMs);
    if (this.#days.length === 0) this.#resolve(this.#sum);
  }

  /** Days that were built before stay built. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#end.reject(error);
  }

  /** The rest has to be asked for again. */
  putOff(): void {
    this.#resolve(this.#sum === 'built' ? 'partly_built' : 'busy');
  }

  #resolve(built: Built): void {
    this.#isOver = true;
    this.#end.resolve(built);
  }
}
