import type { JobsOptions } from 'bullmq';
import { z } from 'zod';
import type { BackoffPolicy } from '../../domain/plan/backoff.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import { type Market, MARKETS } from '../../domain/market.ts';
import type { JobKind, JobPayloads } from '../../ports/job-queue.ts';

/** The settings of one kind of job. */
export interface JobSpec<K extends JobKind> {
  /** The exact payload: a job of another version with other fields is refused. */
  readonly schema: z.ZodType<JobPayloads[K]>;
  readonly attempts: number;
  readonly backoff: BackoffPolicy;
  /**
   * After this time its signal is aborted. Far longer than any normal run, since an abort wastes the used
   * weight.
   */
  readonly timeoutMs: number;
  /**
   * How long an aborted job may take to finish a write and to release its lease. After that the worker no
   * longer waits for it; its lease still keeps other workers from the same work.
   */
  readonly letGoMs: number;
  /** Jobs at once in one worker process; for slices, for each market. */
  readonly concurrency: number;
}

/** No ':', since it becomes part of job ids and of Redis keys, which are split at ':'. */
const runId = z.string().regex(/^[\w.~-]{1,100}$/);

const series = {
  market: z.enum(MARKETS),
  // The exchange lists symbols with '-', '_', '.' and letters of any script. It is part of paths and URLs.
  symbol: z.string().regex(/^(?=.*[\p{L}\p{N}])[\p{L}\p{M}\p{N}._-]{1,100}$/u),
};

const instantMs = z.int().nonnegative();

const dayHours = z.array(instantMs.multipleOf(HOUR_MS)).max(24);

const day = instantMs.multipleOf(DAY_MS);

/** A stretch is at most a month. */
const MOST_DAYS = 31;

const stretch = z.string().regex(/^\d{8}(-\d{8})?$/);

const wantedDay = z.strictObject({
  dayMs: day,
  hours: dayHours.min(1),
  refetch: dayHours.optional(),
  edges: z.array(z.enum(['before', 'after'])).optional(),
});

/** PATH_MAX of Linux. */
const LONGEST_PATH = 4_096;

const source = z.union([
  z.enum(['auto', 'rest', 'archive']),
  z.templateLiteral(['dir:', z.string().min(1)]).refine((text) => text.length <= LONGEST_PATH),
]);

/**
 * With full jitter a wait is on average half of its ceiling: 2, 4, 8, … 120 s. Ten attempts survive an outage
 * of four minutes on average (486 s / 2); the first retry comes within 2 s.
 */
const OUTAGE = { attempts: 10, backoff: { firstMs: 2_000, maxMs: 2 * MINUTE_MS } } as const;

/**
 * A write takes at most a second, a few seconds on a slow store; after this time the store counts as
 * unreachable.
 */
const LET_GO_MS = 10_000;

export const CATALOGUE: { readonly [K in JobKind]: JobSpec<K> } = {
  feed: {
    schema: z.strictObject({
      ...series,
      runId,
      startMs: instantMs,
      endMs: instantMs,
      source: source.optional(),
      isScheduled: z.boolean().optional(),
    }),
    // It only reads and enqueues, so it may outlast a long outage: 1,000 attempts of 30 s on average are 8 h.
    attempts: 1_000,
    backoff: { firstMs: 2_000, maxMs: MINUTE_MS },
    timeoutMs: 15 * MINUTE_MS,
    // It holds no lease, and adding the same jobs again is harmless.
    letGoMs: 0,
    concurrency: 4,
  },
  archive: {
    schema: z.strictObject({
      ...series,
      runId,
      stretch,
      days: z.array(wantedDay).min(1).max(MOST_DAYS),
      source: source.optional(),
    }),
    ...OUTAGE,
    // About 40 s for the busiest day or a month of small files, a few minutes for the month's file of the
    // busiest symbol, and REST for hours missing in the files.
    timeoutMs: 60 * MINUTE_MS,
    letGoMs: LET_GO_MS,
    concurrency: 2,
  },
  slice: {
    schema: z.strictObject({
      ...series,
      runId,
      hourMs: instantMs.multipleOf(HOUR_MS),
      refetch: z.boolean().optional(),
    }),
    ...OUTAGE,
    // A million trades in an hour are 1,000 pages: 5 min when eight slices share 1,500 requests a minute.
    timeoutMs: 30 * MINUTE_MS,
    letGoMs: LET_GO_MS,
    // The weight limit allows 25 pages a second, and a page takes 0.1 to 0.2 s: five are in flight, and some write.
    concurrency: 8,
  },
  bars: {
    schema: z.strictObject({ ...series, runId, days: z.array(day).min(1).max(MOST_DAYS) }),
    ...OUTAGE,
    // About 1 s for the busiest day. A stretch waits 15 minutes for others, some six for a full batch before
    // its own, and as long for its own; the rest is for a store that is slow to apply its log.
    timeoutMs: 60 * MINUTE_MS,
    letGoMs: LET_GO_MS,
    // They wait for each other, to be built in one batch: 256 of them, and room for recent days. Nearly all only
    // wait. One command to Redis renews the locks of all, and one looks for stalled ones.
    concurrency: 320,
  },
  chain: {
    schema: z.strictObject(series),
    ...OUTAGE,
    timeoutMs: 15 * MINUTE_MS,
    letGoMs: LET_GO_MS,
    concurrency: 2,
  },
  tick: {
    schema: z.strictObject({}),
    // Few attempts, since the next tick does the same.
    attempts: 3,
    backoff: { firstMs: 5_000, maxMs: MINUTE_MS },
    timeoutMs: 15 * MINUTE_MS,
    // Like the feed.
    letGoMs: 0,
    concurrency: 1,
  },
};

export const JOB_KINDS = [
  'feed',
  'archive',
  'slice',
  'bars',
  'chain',
  'tick',
] as const satisfies readonly JobKind[];

/**
 * BullMQ takes jobs of priority 0 before all others, then low numbers before high ones. That of a backfill is
 * its first turn (see Turns).
 */
export const PRIORITY = { live: 0, backfill: 10 } as const;
export type JobPriority = keyof typeof PRIORITY;

/**
 * Finished jobs that stay in Redis, at about 1 KB each: enough completed jobs to show activity, and the failed
 * jobs that an operator may want to inspect and retry.
 */
export const KEEP = {
  removeOnComplete: { count: 100 },
  removeOnFail: { count: 10_000, age: 30 * 86_400 },
} as const;

/** Name of the backoff strategy of the workers, which reads the catalogue. */
export const BACKOFF_TYPE = 'catalogue';

/** Few options, since they are stored with every job. */
export function jobOptions(kind: JobKind, priority: number): JobsOptions {
  return {
    attempts: CATALOGUE[kind].attempts,
    backoff: { type: BACKOFF_TYPE },
    priority,
    stackTraceLimit: 1,
  };
}

/** @throws CdvaultError JOB_INVALID */
export function parsePayload<K extends JobKind>(kind: K, data: unknown): JobPayloads[K] {
  const parsed = CATALOGUE[kind].schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const problems = z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ');
  throw new CdvaultError(
    'JOB_INVALID',
    `A ${kind} job does not have the shape of this version: ${problems}`,
  );
}

/** One slice queue for each market, since weight budgets are per market. */
export function queueName(kind: JobKind, market: Market): string {
  return kind === 'slice' ? sliceQueueName(market) : kind;
}

function sliceQueueName(market: Market): string {
  return `slice-${market}`;
}

export function queueNames(kind: JobKind, markets: readonly Market[] = MARKETS): string[] {
  return kind === 'slice' ? markets.map(sliceQueueName) : [kind];
}
