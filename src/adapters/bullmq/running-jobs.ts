import { CdvaultError } from '../../domain/errors.ts';
import { unlessAborted, within } from '../system/within.ts';

type Interruption = 'stop' | 'timeout' | 'lock-lost';

/** One run of a job: its signal, the reason of its abort, and its timeout. */
export class RunningJob {
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #letGoMs: number;
  #interrupted: { readonly why: Interruption; readonly reason: Error } | undefined;

  constructor(
    kind: string,
    { timeoutMs, letGoMs }: { readonly timeoutMs: number; readonly letGoMs: number },
  ) {
    this.#letGoMs = letGoMs;
    this.#timer = setTimeout(() => {
      this.interrupt(
        'timeout',
        new CdvaultError('JOB_TIMEOUT', `A ${kind} job exceeded its time limit of ${timeoutMs} ms`),
      );
    }, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first interruption; undefined if there was none. */
  get interruption(): Interruption | undefined {
    return this.#interrupted?.why;
  }

  interrupt(why: Interruption, reason: Error): void {
    if (this.#interrupted !== undefined) return;
    this.#interrupted = { why, reason };
    this.#abort.abort(reason);
  }

  /**
   * The work's outcome; throws the reason of the abort if the work does not end within `letGoMs` after it.
   */
  async settle<T>(work: Promise<T>): Promise<T> {
    try {
      return await unlessAborted(work, this.signal);
    } catch (error) {
      const interrupted = this.#interrupted;
      if (interrupted === undefined) throw error;
      if (this.#letGoMs === 0) throw interrupted.reason;
      return await within(work, { ms: this.#letGoMs, late: () => interrupted.reason });
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** All runs of a worker process, so that all can be aborted at once. */
export class RunningJobs {
  readonly #running = new Map<RunningJob, Promise<unknown>>();

  async run<T>(job: RunningJob, work: () => Promise<T>): Promise<T> {
    const settled = job.settle(work());
    this.#running.set(job, settled);
    try {
      return await settled;
    } finally {
      this.#running.delete(job);
    }
  }

  /** Aborts all jobs; returns when each has ended or its `letGoMs` is over. */
  async stopAll(): Promise<void> {
    for (const job of this.#running.keys()) {
      job.interrupt('stop', new DOMException('The worker is stopping', 'AbortError'));
    }
    await Promise.allSettled(this.#running.values());
  }
}
