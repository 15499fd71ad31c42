import type { ErrorCode } from '../domain/error-catalogue.ts';
import type { CdvaultError } from '../domain/errors.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Series } from '../domain/market.ts';
import type { DayEdge, DayWork } from '../domain/plan/plan.ts';
import type { SourceChoice } from '../domain/plan/source-choice.ts';

/** What each kind of job carries. Small on purpose: facts live in the store. */
export interface JobPayloads {
  /** Feeds a range through a window of days, from the ledger; runs until the range has been worked. */
  readonly feed: Series & {
    readonly runId: string;
    readonly startMs: number;
    readonly endMs: number;
    /** Default: auto. */
    readonly source?: SourceChoice | undefined;
    /** By the schedule, which lets hours rest that nobody has; somebody who asks for them gets them asked for. */
    readonly isScheduled?: boolean | undefined;
  };
  /** A day from the exchange's archive file; what that cannot prove, by REST if that may be asked. */
  readonly archive: Series & {
    readonly runId: string;
    readonly dayMs: number;
    /** Starts of the hours that are wanted. */
    readonly hours: readonly number[];
    /** Of these, hours whose stored rows are in doubt: taken and compared even where the ledger calls them proven. */
    readonly refetch?: readonly number[] | undefined;
    /** Default: auto. */
    readonly source?: SourceChoice | undefined;
    /** Sides on which the wanted range ends: no other job brings the day beside it. */
    readonly edges?: readonly DayEdge[] | undefined;
  };
  readonly slice: Series & {
    readonly runId: string;
    readonly hourMs: number;
    /** What the store has is in doubt: fetch and compare the hour even where the ledger calls it proven. */
    readonly refetch?: boolean | undefined;
  };
  readonly bars: Series & { readonly runId: string; readonly dayMs: number };
  readonly chain: Series;
  /** The hourly look at what the ledger lacks. */
  readonly tick: Record<string, never>;
}
export type JobKind = keyof JobPayloads;

export interface JobContext {
  /** Aborted when the worker is told to stop now, when the job times out or when its lock is lost. */
  readonly signal: AbortSignal;
}

/** `again`: put the job back for that long without using up an attempt. */
export type JobOutcome = { readonly done: true } | { readonly again: { readonly delayMs: number } };

export type JobHandlers = {
  readonly [K in JobKind]: (payload: JobPayloads[K], context: JobContext) => Promise<JobOutcome>;
};

export type DayJobState = 'pending' | 'done' | 'failed';

export interface QueueCounts {
  readonly kind: JobKind;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface FailedJob {
  readonly kind: JobKind;
  readonly payload: JobPayloads[JobKind];
  readonly code: ErrorCode;
  /** For people: the code, then the message. */
  readonly reason: string;
}

/** What a run has done so far; for people to watch, never a proof. */
export interface RunProgress {
  readonly slicesDone: number;
  readonly rows: number;
  readonly gaps: number;
  /** Start of the newest hour that was finished. */
  readonly atHourMs: number;
}

/** The side that enqueues and watches. Every call fails fast when Redis does not answer. */
export interface JobQueue {
  /**
   * One flow for each day: a bars job over its slice jobs; a day without hours gets its bars job alone.
   * Ids are deterministic within the run, so adding a day twice adds nothing.
   * @param priority `live` outranks `backfill`
   */
  addDays(
    runId: string,
    series: Series,
    days: readonly DayWork[],
    priority: 'live' | 'backfill',
  ): Promise<void>;
  /** State of the bars job of a day of a run; `done` also when it has been removed after completion. */
  dayStates(
    runId: string,
    series: Series,
    days: readonly number[],
  ): Promise<readonly DayJobState[]>;
  /** A bars job of its own; at most one waits for a symbol-day. */
  addBars(series: Series, dayMs: number): Promise<void>;
  /** Whether such a job waits or runs. */
  barsPending(series: Series, dayMs: number): Promise<boolean>;
  /** At most one active and one waiting for a series: the last wish wins. */
  addChain(series: Series): Promise<void>;
  /** Whether a chain job of the series waits or runs. */
  chainPending(series: Series): Promise<boolean>;
  /** @param source default: auto */
  addFeed(runId: string, series: Series, range: TimeRange, source?: SourceChoice): Promise<void>;
  /** The same for the schedule: dropped while an earlier one of the series is still being fed. */
  addScheduledFeed(runId: string, series: Series, range: TimeRange): Promise<void>;
  feedState(runId: string, series: Series): Promise<DayJobState>;
  /** Registers the tick once for all hosts; again with the same period changes nothing. */
  upsertTick(everyMs: number): Promise<void>;
  /** Whether a tick waits or runs: Redis may have lost it, its registration or its job alone. */
  hasTick(): Promise<boolean>;
  removeTick(): Promise<void>;
  counts(): Promise<readonly QueueCounts[]>;
  /** Newest failed jobs of a run, at most `limit`. */
  failures(runId: string, limit: number): Promise<readonly FailedJob[]>;
  addProgress(runId: string, change: Partial<RunProgress>): Promise<void>;
  progress(runId: string): Promise<RunProgress>;
  close(): Promise<void>;
}

/** The side that works. */
export interface JobWorkers {
  /** Stops taking jobs and waits for the running ones; after `deadlineMs` aborts them. */
  drain(deadlineMs: number): Promise<void>;
  /** Aborts the running jobs' signals and returns as soon as they have let go. */
  stop(): Promise<void>;
  /** Settles when a job fails in a way that no other job can survive (a ban, a suspended table, …). */
  readonly fatal: Promise<CdvaultError>;
}
