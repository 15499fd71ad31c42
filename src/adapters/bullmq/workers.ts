import { Job, UnrecoverableError, Worker } from 'bullmq';
import pTimeout from 'p-timeout';
import type { CdvaultError } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import type {
  JobHandlers,
  JobKind,
  JobPayloads,
  JobWorkers,
  SliceWork,
} from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { NO_TRACING } from '../system/no-tracing.ts';
import { CATALOGUE, JOB_KINDS, KEEP, queueName, queueNames } from './catalogue.ts';
import { fromQueueError, retryDelayMs } from './job-failure.ts';
import { jobFields, JobRunner } from './job-runner.ts';
import { RunningJobs } from './running-jobs.ts';
import { SliceWorkMeter } from './slice-work.ts';
import { ThrottledWarning } from './throttled-warning.ts';
import { WorkerConnection } from './worker-connection.ts';

export interface JobEvent {
  /** `failed`: permanently. `retry`: it will be retried. `stalled`: its worker died or lost its lock. */
  readonly type: 'completed' | 'failed' | 'retry' | 'stalled';
  readonly kind: JobKind;
  /** undefined when it does not fit this version's schema, or the job does not exist any more. */
  readonly payload: JobPayloads[JobKind] | undefined;
  readonly error?: CdvaultError;
}

export interface WorkersDeps {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly handlers: JobHandlers;
  /** Jobs at once, by kind; 0 means none of that kind. Default: the catalogue's number. */
  readonly concurrency: Partial<Record<JobKind, number>>;
  /** Markets whose slices this worker processes. */
  readonly markets: readonly Market[];
  readonly log: Log;
  /** Default: none. */
  readonly tracing?: Tracing;
  readonly onEvent?: (event: JobEvent) => void;
  /** How long a killed worker's jobs stay locked; tests shorten it. */
  readonly lockMs?: number;
}

/**
 * Locks are renewed every 2.5 to 5 s (BullMQ checks twice in a renew time), so a lock always has 15 s left: a
 * process may compute or be starved by other work for that long. A killed worker's jobs are started again
 * after at most 20 s (lock) + 5 s (next check). A false alarm does little harm: leases keep the second run
 * from the work, and the first run is aborted by its signal.
 */
const LOCK_MS = 20_000;
const LOOKS_A_LOCK = 4;

/**
 * Each time its worker is killed, a running job counts one stall, over its whole life, and a feed lives long:
 * a job must not fail because other jobs crash its worker. A job that kills its worker each time fails after
 * this many stalls.
 */
const MAX_STALLED = 20;

/** Closing takes 0.1 s after the jobs have ended; after this time Redis counts as unreachable. */
const CLOSE_MS = 5_000;

/** Connects in the background and processes jobs as soon as Redis is reachable. */
export function startWorkers(deps: WorkersDeps): JobWorkers {
  return new WorkerSet(deps);
}

class WorkerSet implements JobWorkers {
  readonly fatal: Promise<CdvaultError>;
  readonly #deps: WorkersDeps;
  readonly #connection: WorkerConnection;
  readonly #workers: EndableWorker[];
  readonly #running = new RunningJobs();
  readonly #slices = new SliceWorkMeter();
  readonly #warning: ThrottledWarning;
  readonly #resolveFatal: (failure: CdvaultError) => void;
  #halted = false;
  #closed: Promise<void> | undefined;

  constructor(deps: WorkersDeps) {
    this.#deps = deps;
    const fatal = Promise.withResolvers<CdvaultError>();
    this.fatal = fatal.promise;
    this.#resolveFatal = fatal.resolve;
    this.#warning = new ThrottledWarning(deps.log);
    this.#connection = new WorkerConnection(deps.redisUrl, deps.prefix, deps.log);
    this.#workers = JOB_KINDS.flatMap((kind) => this.#startKind(kind));
  }

  async drain(deadlineMs: number): Promise<void> {
    if (!(await settlesWithin(this.#close(), deadlineMs))) await this.stop();
  }

  async stop(): Promise<void> {
    const closed = this.#close();
    await this.#running.stopAll();
    if (await settlesWithin(closed, CLOSE_MS)) return;
    // Redis is unreachable and BullMQ waits for it: nothing here may keep the process alive.
    await Promise.all(this.#workers.map(async (worker) => worker.abandon()));
    this.#connection.end();
  }

  takeSliceWork(market: Market): SliceWork {
    return this.#slices.take(market);
  }

  setSlicesAtOnce(market: Market, atOnce: number): void {
    const worker = this.#workers.find(({ name }) => name === queueName('slice', market));
    if (worker !== undefined) worker.concurrency = atOnce;
  }

  #close(): Promise<void> {
    this.#halted = true;
    this.#closed ??= Promise.all(this.#workers.map(async (worker) => worker.close())).then(() =>
      this.#connection.end(),
    );
    return this.#closed;
  }

  #onFatal(failure: CdvaultError): void {
    this.#halted = true;
    this.#resolveFatal(failure);
    for (const worker of this.#workers) void worker.pause(true);
  }

  #startKind(kind: JobKind): EndableWorker[] {
    const concurrency = this.#deps.concurrency[kind] ?? CATALOGUE[kind].concurrency;
    if (concurrency === 0) return [];
    const runner = new JobRunner(kind, {
      handlers: this.#deps.handlers,
      running: this.#running,
      halted: () => this.#halted,
      onFatal: (failure) => this.#onFatal(failure),
      slices: this.#slices,
      tracing: this.#deps.tracing ?? NO_TRACING,
      log: this.#deps.log,
    });
    return queueNames(kind, this.#deps.markets).map((name) => {
      const worker = this.#createWorker(name, kind, concurrency, runner);
      this.#listen(worker, kind);
      return worker;
    });
  }

  #createWorker(
    name: string,
    kind: JobKind,
    concurrency: number,
    runner: JobRunner<JobKind>,
  ): EndableWorker {
    const lockMs = this.#deps.lockMs ?? LOCK_MS;
    // BullMQ passes its signal only to a function with three parameters and no defaults (it checks `length`).
    return new EndableWorker(
      name,
      async (job, token, signal) => runner.process(job, token ?? '', signal),
      {
        connection: this.#connection.redis,
        prefix: this.#deps.prefix,
        concurrency,
        lockDuration: lockMs,
        lockRenewTime: lockMs / LOOKS_A_LOCK,
        stalledInterval: lockMs / LOOKS_A_LOCK,
        maxStalledCount: MAX_STALLED,
        ...KEEP,
        settings: {
          backoffStrategy: (made, _, error) => retryDelayMs(CATALOGUE[kind].backoff, made, error),
        },
      },
    );
  }

  #listen(worker: EndableWorker, kind: JobKind): void {
    worker.on('error', (error) =>
      this.#warning.warn(`A worker of ${kind} jobs reported an error`, error),
    );
    worker.on('completed', (job) => this.#emit('completed', kind, job.data));
    worker.on('failed', (job, error) => this.#onFailed(kind, job, error));
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id);
    });
    worker.on('stalled', (id) => {
      void Job.fromId(worker, id).then(
        (job) => this.#onStalled(kind, id, job),
        (error: unknown) => this.#warning.warn('A stalled job could not be read', error),
      );
    });
  }

  #onStalled(kind: JobKind, jobId: string, job: Job | undefined): void {
    this.#deps.log.warn({ kind, jobId }, 'A job lost its worker and runs again');
    this.#emit('stalled', kind, job?.data);
  }

  #onFailed(kind: JobKind, job: Job | undefined, error: Error): void {
    const failure = fromQueueError(error);
    const attempts = job?.opts.attempts ?? 1;
    const isFinal =
      error instanceof UnrecoverableError || job === undefined || job.attemptsMade >= attempts;
    const fields = {
      code: failure.code,
      ...(job === undefined ? { kind } : jobFields(kind, job)),
      attempt: job?.attemptsMade,
      attempts,
    };
    if (isFinal)
      this.#deps.log.error(
        { ...fields, error: failure, advice: failure.advice },
        `A job failed for good: ${failure.message}`,
      );
    else this.#deps.log.info(fields, `A job will be retried: ${failure.message}`);
    this.#emit(isFinal ? 'failed' : 'retry', kind, job?.data, failure);
  }

  #emit(type: JobEvent['type'], kind: JobKind, data: unknown, error?: CdvaultError): void {
    const parsed = CATALOGUE[kind].schema.safeParse(data);
    this.#deps.onEvent?.({
      type,
      kind,
      payload: parsed.data,
      ...(error !== undefined && { error }),
    });
  }
}

/** A worker that can be ended while Redis is unreachable; `close()` would wait without a limit. */
class EndableWorker extends Worker {
  async abandon(): Promise<void> {
    await this.lockManager.close();
  }
}

async function settlesWithin(work: Promise<void>, ms: number): Promise<boolean> {
  return pTimeout(
    work.then(() => true),
    { milliseconds: ms, fallback: () => false },
  );
}
