import { DelayedError, type Job, WaitingError } from 'bullmq';
import { z } from 'zod';
import type { ErrorCode } from '../../domain/error-catalogue.ts';
import { CdvaultError, classify } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import type { JobHandlers, JobKind, JobOutcome } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { withLogFields } from '../system/log-context.ts';
import { createWorkTotals, withTotals, type WorkTotals } from '../system/work-meter.ts';
import { toFacts } from './active-jobs.ts';
import { CATALOGUE, parsePayload } from './catalogue.ts';
import { isFatal, toQueueError } from './job-failure.ts';
import { RunningJob, type RunningJobs } from './running-jobs.ts';
import type { SliceWorkMeter } from './slice-work.ts';

interface RunnerDeps {
  readonly handlers: JobHandlers;
  readonly running: RunningJobs;
  /** True when no new job may start. */
  readonly halted: () => boolean;
  readonly onFatal: (failure: CdvaultError) => void;
  readonly slices: SliceWorkMeter;
  readonly tracing: Tracing;
  readonly log: Log;
}

/** Passes one job from BullMQ to its handler, and the outcome back to BullMQ. */
export class JobRunner<K extends JobKind> {
  readonly #kind: K;
  readonly #deps: RunnerDeps;

  constructor(kind: K, deps: RunnerDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /**
   * @param lockSignal BullMQ's signal, aborted when the job's lock is lost
   * @throws the errors that BullMQ understands: retry, unrecoverable, delayed, back to waiting
   */
  async process(job: Job, token: string, lockSignal: AbortSignal | undefined): Promise<void> {
    // A fetch that was in flight when the worker was halted still returns a job.
    if (this.#deps.halted()) return putBack(job, token);
    const running = new RunningJob(this.#kind, CATALOGUE[this.#kind]);
    lockSignal?.addEventListener('abort', () => running.interrupt('lock-lost', lockLost(job)));
    const fields = jobFields(this.#kind, job);
    const about = { ...fields, ...partFields(job) };
    const totals = createWorkTotals();
    const startedMs = performance.now();
    const market = this.#kind === 'slice' ? about.market : undefined;
    if (market !== undefined) this.#deps.slices.begin(market);
    const result = await withLogFields(fields, () =>
      withTotals(totals, () => this.#traced(about, () => this.#handle(job, running))),
    );
    const durationMs = Math.round(performance.now() - startedMs);
    if (market !== undefined) this.#deps.slices.end(market, { durationMs, waitMs: totals.waitMs });
    this.#deps.log.info(
      { ...about, ...rounded(totals), durationMs, ...outcomeFields(result) },
      'job',
    );
    if (running.interruption === 'lock-lost')
      throw new WaitingError('another worker may have the job by now');
    if (!(result instanceof CdvaultError)) return finish(job, token, result);
    if (running.interruption === 'stop') return putBack(job, token);
    const failure = running.interruption === 'timeout' ? classify(running.signal.reason) : result;
    if (isFatal(failure)) this.#deps.onFatal(failure);
    throw toQueueError(failure);
  }

  /** The looks of a feed are many and short: they have no spans. */
  async #traced(
    { runId, jobId, market, symbol, part }: JobFields & PartFields,
    handle: () => Promise<JobOutcome | CdvaultError>,
  ): Promise<JobOutcome | CdvaultError> {
    if (this.#kind === 'feed') return handle();
    const { tracing } = this.#deps;
    const attributes = {
      'cdvault.run_id': runId,
      'cdvault.job_id': jobId,
      'cdvault.market': market,
      'cdvault.symbol': symbol,
      'cdvault.part': part,
    };
    return tracing.job({ name: this.#kind, runId, attributes }, async () => {
      const result = await handle();
      const { outcome, code } = outcomeFields(result);
      tracing.annotate({ 'cdvault.outcome': outcome, 'error.type': code });
      return result;
    });
  }

  async #handle(job: Job, running: RunningJob): Promise<JobOutcome | CdvaultError> {
    const handler = this.#deps.handlers[this.#kind];
    try {
      return await this.#deps.running.run(running, async () =>
        handler(parsePayload(this.#kind, job.data), {
          signal: running.signal,
          isEnding: this.#deps.halted,
        }),
      );
    } catch (error) {
      return classify(error);
    }
  }
}

/** A type, since the fields of a log line are any record. */
type JobFields = {
  readonly runId?: string;
  readonly kind: JobKind;
  readonly jobId: string | undefined;
};

interface PartFields {
  readonly market: Market | undefined;
  readonly symbol: string | undefined;
  readonly part: string | undefined;
}

/**
 * Log fields that identify the job. `runId` is absent if the job serves all runs: levels of a series, the
 * tick.
 */
export function jobFields(kind: JobKind, { id, data }: Pick<Job, 'id' | 'data'>): JobFields {
  const runId = z.object({ runId: z.string() }).safeParse(data).data?.runId;
  return { ...(runId !== undefined && { runId }), kind, jobId: id };
}

/** Of what the job is: the same fields in the line of every job. */
function partFields(job: Job): PartFields {
  const facts = toFacts(job);
  return { market: facts?.series?.market, symbol: facts?.series?.symbol, part: facts?.part };
}

function rounded(totals: WorkTotals): Readonly<Record<string, number>> {
  const entries = Object.entries<number>({ ...totals });
  return Object.fromEntries(entries.map(([name, sum]) => [name, Math.round(sum)]));
}

function outcomeFields(result: JobOutcome | CdvaultError): {
  readonly outcome: string;
  readonly code: ErrorCode | undefined;
} {
  if (result instanceof CdvaultError) return { outcome: 'failed', code: result.code };
  return { outcome: 'done' in result ? 'done' : 'put off', code: undefined };
}

async function finish(job: Job, token: string, outcome: JobOutcome): Promise<void> {
  if ('done' in outcome) return;
  // Not a failure: it uses up no attempt, and BullMQ's number of starts is not limited here.
  await job.moveToDelayed(Date.now() + outcome.again.delayMs, token);
  throw new DelayedError();
}

/** Moves the job back to the waiting jobs, where the next worker takes it at once; uses up no attempt. */
async function putBack(job: Job, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}

function lockLost(job: Job): CdvaultError {
  return new CdvaultError(
    'LEASE_LOST',
    `The lock of the ${job.name} job ${job.id ?? ''} could not be renewed in time`,
  );
}
