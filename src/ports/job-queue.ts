import type { ErrorCode } from '../domain/error-catalogue.ts';
import type { CdvaultError } from '../domain/errors.ts';
import type { TimeRange } from '../domain/time/hour.ts';
import type { Market, Series, Slice } from '../domain/market.ts';
import type { DayEdge, DayWork } from '../domain/plan/plan.ts';
import type { SourceChoice } from '../domain/plan/source-choice.ts';

/** What is wanted of one day's archive file. */
export interface WantedDay {
  readonly dayMs: number;
  /** Starts of the requested hours. */
  readonly hours: readonly number[];
  /** Those of `hours` whose stored rows are in doubt: read and compared even if the ledger says proven. */
  readonly refetch?: readonly number[] | undefined;
  /** The sides at which the requested range ends: no other job loads the neighbouring day. */
  readonly edges?: readonly DayEdge[] | undefined;
}

/** Payload of each kind of job. Small on purpose: facts are in the store. */
export interface JobPayloads {
  /** Plans a range from the ledger and enqueues its days through a window; runs until all of it is done. */
  readonly feed: Series & {
    readonly runId: string;
    readonly startMs: number;
    readonly endMs: number;
    /** Default: auto. */
    readonly source?: SourceChoice | undefined;
    /** Set for the schedule, which skips resting hours (isResting()); a request of a user does not. */
    readonly isScheduled?: boolean | undefined;
  };
  /** A stretch of days from their archive files; hours that these do not prove, by REST if `source` allows it. */
  readonly archive: Series & {
    readonly runId: string;
    readonly stretch: string;
    /** Oldest first. */
    readonly days: readonly WantedDay[];
    /** Default: auto. */
    readonly source?: SourceChoice | undefined;
  };
  readonly slice: Slice & {
    readonly runId: string;
    /** The stored rows are in doubt: fetch and compare the hour even if the ledger says proven. */
    readonly refetch?: boolean | undefined;
  };
  readonly bars: Series & { readonly runId: string; readonly days: readonly number[] };
  readonly chain: Series;
  /** The hourly run of the schedule. */
  readonly tick: Record<string, never>;
}
export type JobKind = keyof JobPayloads;

export interface JobContext {
  /** Aborted when the worker is told to stop now, when the job times out or when its lock is lost. */
  readonly signal: AbortSignal;
  /** Whether the worker takes no more jobs: what waits for other jobs waits in vain. Default: it takes more. */
  readonly isEnding?: () => boolean;
}

/** `again`: run the job again after `delayMs`, without using up an attempt. */
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
  /** Text: the code, then the message. */
  readonly reason: string;
}

export interface NewestFailure {
  readonly kind: JobKind;
  readonly atMs: number;
  /** Text: the code, then the message. */
  readonly reason: string;
}

/** A job that runs now, for display. */
export interface RunningJobFacts {
  readonly kind: JobKind;
  /** undefined for a tick. */
  readonly series: Series | undefined;
  /** Which hour, days or range: text for people. */
  readonly part: string;
  readonly sinceMs: number;
}

/** Progress of a run, for display; never a proof. */
export interface RunProgress {
  readonly slicesDone: number;
  readonly rows: number;
  readonly gaps: number;
  /** Start of the newest hour that was finished. */
  readonly atHourMs: number;
}

/** The client side: enqueues jobs and reads their state. Every call fails fast when Redis does not answer. */
export interface JobQueue {
  /**
   * Adds one flow for each day, or for each stretch: a bars job that waits for its slice jobs or its archive
   * job. A day without hours gets only the bars job. Ids are deterministic within the run, so adding a day
   * twice adds nothing.
   * @param days all due days of a stretch are given at once
   * @param priority `live` outranks `backfill`, whose days take turns with those of other runs and series
   */
  addDays(
    runId: string,
    series: Series,
    days: readonly DayWork[],
    priority: 'live' | 'backfill',
  ): Promise<void>;
  /** Makes known which series take turns in a run; without it, those that were added first come first. */
  openRun(runId: string, series: readonly Series[]): Promise<void>;
  /** All days of the series are done: the others of its run take its turns. */
  leaveRun(runId: string, series: Series): Promise<void>;
  /**
   * State of the bars jobs of a run's stretches; `done` also when one has been removed after completion.
   * @param stretches names; that of a day that stands alone is compactDay()
   */
  stretchStates(
    runId: string,
    series: Series,
    stretches: readonly string[],
  ): Promise<readonly DayJobState[]>;
  /** Adds a single bars job; at most one waits for a symbol-day. */
  addBars(series: Series, dayMs: number): Promise<void>;
  /** Whether a single bars job of the day waits or runs. */
  barsPending(series: Series, dayMs: number): Promise<boolean>;
  /** Adds a chain job; a series has at most one active and one waiting, and the last request wins. */
  addChain(series: Series): Promise<void>;
  /** Whether a chain job of the series waits or runs. */
  chainPending(series: Series): Promise<boolean>;
  /** Adds a feed job. @param source default: auto */
  addFeed(runId: string, series: Series, range: TimeRange, source?: SourceChoice): Promise<void>;
  /** The same for the schedule; ignored while an earlier scheduled feed of the series is not done. */
  addScheduledFeed(runId: string, series: Series, range: TimeRange): Promise<void>;
  feedState(runId: string, series: Series): Promise<DayJobState>;
  /**
   * Registers the tick once for all hosts; repeating it with the same period changes nothing.
   * @param afterMs how long after each whole period it comes; 0: now, and from then on once a period
   */
  upsertTick(everyMs: number, afterMs?: number): Promise<void>;
  /** Adds one tick that runs now. */
  addTick(): Promise<void>;
  /** Whether a tick waits or runs. Redis may have lost it: the registration, or only the job. */
  hasTick(): Promise<boolean>;
  removeTick(): Promise<void>;
  /** @param kinds default: all */
  counts(kinds?: readonly JobKind[]): Promise<readonly QueueCounts[]>;
  /** Newest failed jobs of a run, at most `limit`. */
  failures(runId: string, limit: number): Promise<readonly FailedJob[]>;
  /** Jobs that run, oldest first; at most `limit` of each kind and market. */
  running(limit: number): Promise<readonly RunningJobFacts[]>;
  /** The job that failed last, of any run. */
  newestFailure(): Promise<NewestFailure | undefined>;
  /** A job of the series that a worker is at. */
  runningOf(series: Series): Promise<RunningJobFacts | undefined>;
  /** Removes all jobs of the series that no worker is at, also those that have ended. */
  removeJobs(series: Series): Promise<void>;
  addProgress(runId: string, change: Partial<RunProgress>): Promise<void>;
  progress(runId: string): Promise<RunProgress>;
  close(): Promise<void>;
}

/** What a worker has done of a market's slices since it was last asked. */
export interface SliceWork {
  /** Slices that run now. */
  readonly running: number;
  /** Of slices that have ended, summed: their time, and how much of it they waited for request weight. */
  readonly durationMs: number;
  readonly waitMs: number;
}

/** The worker side. */
export interface JobWorkers {
  takeSliceWork(market: Market): SliceWork;
  /** How many slices of a market run at a time from now on; those that run go on. */
  setSlicesAtOnce(market: Market, atOnce: number): void;
  /** Stops taking jobs and waits for the running ones; after `deadlineMs` aborts them. */
  drain(deadlineMs: number): Promise<void>;
  /** Aborts the running jobs' signals and returns as soon as the jobs have ended. */
  stop(): Promise<void>;
  /** Settles when a job fails in a way that affects all other jobs (a ban, a suspended table, …). */
  readonly fatal: Promise<CdvaultError>;
}
