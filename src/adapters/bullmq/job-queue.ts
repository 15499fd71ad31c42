import { FlowProducer, type JobsOptions, type JobState, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { TimeRange } from '../../domain/time/hour.ts';
import { type Market, MARKETS, type Series } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import type {
  DayJobState,
  FailedJob,
  JobKind,
  JobPayloads,
  JobQueue,
  QueueCounts,
  RunProgress,
} from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import { createRedis } from '../redis/connection.ts';
import { redisCall } from '../redis/redis-call.ts';
import {
  JOB_KINDS,
  jobOptions,
  type JobPriority,
  parsePayload,
  PRIORITY,
  queueName,
  queueNames,
} from './catalogue.ts';
import { toDayState } from './day-state.ts';
import { failedJobs, newestFailure } from './failed-jobs.ts';
import { activeJobs } from './active-jobs.ts';
import { countJobs } from './count-jobs.ts';
import { DayFlows } from './day-flows.ts';
import { barsId, barsDedupKey, chainDedupKey, feedId, scheduleDedupKey } from './job-ids.ts';
import { removeJobs, runningOf } from './jobs-of-series.ts';
import { RunProgressStore } from './run-progress.ts';
import { plain } from './stretch-flow.ts';
import { hasTick, registerTick, removeTick } from './tick.ts';
import { Turns } from './turns.ts';

export interface JobQueueDeps {
  readonly redisUrl: string;
  /** Separates installations and tests that share a Redis. */
  readonly prefix: string;
  readonly log: Log;
}

/** The run id of a bars job that was not queued by a run. */
export const NO_RUN = 'due';

/** Connects in the background. Calls fail with REDIS_UNREACHABLE after 5 s (batches: 20 s) without an answer. */
export function createJobQueue(deps: JobQueueDeps): JobQueue {
  return new BullJobQueue(deps);
}

class BullJobQueue implements JobQueue {
  readonly #redis: Redis;
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #flows: FlowProducer;
  readonly #dayFlows: DayFlows;
  readonly #turns: Turns;
  readonly #progress: RunProgressStore;

  constructor({ redisUrl, prefix, log }: JobQueueDeps) {
    this.#redis = createRedis(redisUrl, { log, connectionName: `${prefix}:producer` });
    // BullMQ asks for the version once, and is unusable from then on if no answer comes. checkRedis checks
    // Redis at the start instead.
    const options = { connection: this.#redis, prefix, skipVersionCheck: true };
    // The shared connection logs its own failures. Without a listener an `error` event ends the process.
    const quiet = (error: Error): void =>
      log.debug({ error: error.message }, 'A queue reported an error');
    this.#flows = new FlowProducer(options).on('error', quiet);
    const names = JOB_KINDS.flatMap((kind) => queueNames(kind));
    this.#queues = new Map(
      // Events serve live progress reporting only: 1,000 of them take about 0.1 MB for each queue.
      names.map((name) => [
        name,
        new Queue(name, { ...options, streams: { events: { maxLen: 1_000 } } }).on('error', quiet),
      ]),
    );
    this.#turns = new Turns(this.#redis, prefix);
    this.#dayFlows = new DayFlows({
      redis: this.#redis,
      flows: this.#flows,
      turns: this.#turns,
      queue: (kind, market) => this.#queue(kind, market),
      barsStates: (ids) => this.#states('bars', ids),
    });
    this.#progress = new RunProgressStore(this.#redis, prefix);
  }

  addDays(
    runId: string,
    series: Series,
    days: readonly DayWork[],
    priority: JobPriority,
  ): Promise<void> {
    return this.#dayFlows.add({ runId, series, priority }, days);
  }

  openRun(runId: string, series: readonly Series[]): Promise<void> {
    return this.#turns.open(runId, series);
  }

  leaveRun(runId: string, series: Series): Promise<void> {
    return this.#turns.leave(runId, series);
  }

  async stretchStates(
    runId: string,
    series: Series,
    stretches: readonly string[],
  ): Promise<readonly DayJobState[]> {
    const states = await this.#states(
      'bars',
      stretches.map((name) => barsId(runId, series, name)),
    );
    return states.map(toDayState);
  }

  async addBars(series: Series, dayMs: number): Promise<void> {
    await this.#addDeduplicated(
      'bars',
      { ...plain(series), runId: NO_RUN, days: [dayMs] },
      barsDedupKey(series, dayMs),
    );
  }

  async addChain(series: Series): Promise<void> {
    await this.#addDeduplicated('chain', plain(series), chainDedupKey(series));
  }

  barsPending(series: Series, dayMs: number): Promise<boolean> {
    return this.#isDedupPending('bars', barsDedupKey(series, dayMs));
  }

  chainPending(series: Series): Promise<boolean> {
    return this.#isDedupPending('chain', chainDedupKey(series));
  }

  async #isDedupPending(kind: 'bars' | 'chain', key: string): Promise<boolean> {
    const queue = this.#queue(kind);
    const id = await redisCall(`return a ${kind} job`, () => queue.getDeduplicationJobId(key));
    if (id === null) return false;
    const [state] = await this.#states(kind, [id]);
    return state !== undefined && toDayState(state) === 'pending';
  }

  addFeed(
    runId: string,
    series: Series,
    range: TimeRange,
    source: SourceChoice = 'auto',
  ): Promise<void> {
    return this.#addFeed({ ...plain(series), runId, ...range, source }, {});
  }

  addScheduledFeed(runId: string, series: Series, range: TimeRange): Promise<void> {
    return this.#addFeed(
      { ...plain(series), runId, ...range, source: 'auto', isScheduled: true },
      { deduplication: { id: scheduleDedupKey(series) } },
    );
  }

  async #addFeed(payload: JobPayloads['feed'], options: JobsOptions): Promise<void> {
    const jobId = feedId(payload.runId, payload);
    const [state] = await this.#states('feed', [jobId]);
    // If a finished job with the same id exists, BullMQ silently adds nothing.
    if (state === 'failed' || state === 'completed') {
      await redisCall('remove a finished feed job', () => this.#queue('feed').remove(jobId));
    }
    await this.#add('feed', payload, { jobId, ...options });
  }

  async feedState(runId: string, series: Series): Promise<DayJobState> {
    const [state] = await this.#states('feed', [feedId(runId, series)]);
    return toDayState(state ?? 'unknown');
  }

  upsertTick = (everyMs: number, afterMs = 0): Promise<void> =>
    registerTick(this.#queue('tick'), everyMs, afterMs);

  addTick = (): Promise<void> => this.#add('tick', {}, {});

  hasTick = (): Promise<boolean> => hasTick(this.#queue('tick'));

  removeTick = (): Promise<void> => removeTick(this.#queue('tick'));

  async counts(kinds: readonly JobKind[] = JOB_KINDS): Promise<readonly QueueCounts[]> {
    return Promise.all(kinds.map(async (kind) => this.#countsOf(kind)));
  }

  async failures(runId: string, limit: number): Promise<readonly FailedJob[]> {
    const lists = (['archive', 'slice', 'bars', 'feed'] as const).flatMap((kind) =>
      queueNames(kind).map((name) => ({ kind, queue: this.#named(name) })),
    );
    return failedJobs(lists, runId, limit);
  }

  readonly newestFailure = async () => newestFailure(this.#queues.values());

  readonly runningOf = async (one: Series) => runningOf(this.#redis, this.#queues.values(), one);
  readonly removeJobs = async (one: Series) => removeJobs(this.#queues.values(), one);

  readonly running = async (limit: number) => activeJobs(this.#queues.values(), limit);

  async addProgress(runId: string, change: Partial<RunProgress>): Promise<void> {
    await this.#progress.add(runId, change);
  }

  async progress(runId: string): Promise<RunProgress> {
    return this.#progress.read(runId);
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#flows.close(),
      ...[...this.#queues.values()].map(async (queue) => queue.close()),
    ]);
    this.#redis.disconnect();
  }

  /**
   * At most one job waits for each key; a job that already runs does not replace it. BullMQ chooses the id: one
   * of ours could equal that of a failed job of an earlier request.
   */
  async #addDeduplicated<K extends 'bars' | 'chain'>(
    kind: K,
    payload: JobPayloads[K],
    key: string,
  ): Promise<void> {
    await this.#add(kind, payload, { deduplication: { id: key, keepLastIfActive: true } });
  }

  async #add<K extends JobKind>(
    kind: K,
    payload: JobPayloads[K],
    options: JobsOptions,
  ): Promise<void> {
    const data = parsePayload(kind, payload);
    await redisCall(`accept a ${kind} job`, () =>
      this.#queue(kind).add(kind, data, { ...jobOptions(kind, PRIORITY.live), ...options }),
    );
  }

  async #states(kind: JobKind, ids: readonly string[]): Promise<readonly (JobState | 'unknown')[]> {
    const queue = this.#queue(kind);
    return redisCall(`return the states of ${kind} jobs`, () =>
      Promise.all(ids.map(async (id) => queue.getJobState(id))),
    );
  }

  #countsOf(kind: JobKind): Promise<QueueCounts> {
    return countJobs(
      kind,
      queueNames(kind).map((name) => this.#named(name)),
    );
  }

  #queue(kind: JobKind, market: Market = MARKETS[0]): Queue {
    return this.#named(queueName(kind, market));
  }

  #named(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new RangeError(`no queue ${name}`);
    return queue;
  }
}
