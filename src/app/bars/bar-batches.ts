import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobContext } from '../../ports/job-queue.ts';
import { buildBars, type BuildBarsDeps } from './build-bars.ts';
import type { BuildOutcome, WantedBars } from './series-build.ts';

/**
 * The most days of a batch: their bars are some 8,000 rows each. A batch of 50 months is four requests for a
 * month of 200 series, so that a partition that they share is rewritten four times and not 200 times.
 */
const MOST_DAYS = 1_550;

/** Fewer jobs than a worker runs at once (see the catalogue), so that recent days always find room. */
const MOST_REQUESTS = 48;

/** How often a waiting batch looks whether more days are on their way. */
const LOOK_AGAIN_MS = 250;

/**
 * How long days wait for others. Days of a thin series' stretch may wait, since the partitions that series
 * share are rewritten for each batch; the bars of a busy day cost little beside its trades, and are built
 * while the next day is read; recent days are looked at.
 */
const PATIENCE_MS = { stretch: 120_000, day: 10_000, recent: 3_000 };
const RECENT_MS = 2 * DAY_MS;

interface BatchDeps extends BuildBarsDeps {
  readonly clock: Clock;
  /** Whether jobs that will ask for bars are waiting or running. */
  readonly isMoreToCome: () => Promise<boolean>;
}

/** What became of the days of one request. */
type Built = Exclude<BuildOutcome, CdvaultError>;

interface Waiting extends WantedBars, JobContext {
  readonly sinceMs: number;
  readonly ended: PromiseWithResolvers<Built>;
}

export type BarBatches = (wanted: WantedBars, context: JobContext) => Promise<Built>;

/**
 * Builds bars in batches, one at a time: a batch takes all days that were asked for while the batch before it
 * was built, and waits for more as long as trades of other days are on their way.
 */
export function createBarBatches(deps: BatchDeps): BarBatches {
  const queue: Waiting[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (queue.length > 0) {
        await untilReady(deps, queue);
        await buildBatch(deps, take(queue, deps.clock.nowMs()));
      }
    } finally {
      isRunning = false;
    }
  }

  return async (wanted, context) => {
    context.signal.throwIfAborted();
    const ended = Promise.withResolvers<Built>();
    queue.push({ ...wanted, ...context, sinceMs: deps.clock.nowMs(), ended });
    if (!isRunning) void run();
    return ended.promise;
  };
}

async function untilReady(
  { clock, isMoreToCome, log }: BatchDeps,
  queue: readonly Waiting[],
): Promise<void> {
  for (;;) {
    const nowMs = clock.nowMs();
    const days = queue.reduce((sum, one) => sum + one.days.length, 0);
    if (days >= MOST_DAYS || queue.length >= MOST_REQUESTS) return;
    if (queue.some((one) => isLate(one, nowMs))) return;
    try {
      if (!(await isMoreToCome())) return;
    } catch (error) {
      // Waiting only saves work.
      log.debug({ error: String(error) }, 'could not ask whether more days are on their way');
      return;
    }
    const isAborted = AbortSignal.any(queue.map(({ signal }) => signal));
    await clock.sleep(LOOK_AGAIN_MS, isAborted).catch(() => undefined);
  }
}

function isLate(one: Waiting, nowMs: number): boolean {
  const kind = isRecent(one, nowMs) ? 'recent' : one.days.length > 1 ? 'stretch' : 'day';
  const patienceMs = PATIENCE_MS[kind];
  return one.signal.aborted || one.isEnding?.() === true || nowMs - one.sinceMs >= patienceMs;
}

function isRecent({ days }: WantedBars, nowMs: number): boolean {
  return days.some((dayMs) => dayMs >= nowMs - RECENT_MS);
}

/** Takes recent days, then the oldest requests; at least one. */
function take(queue: Waiting[], nowMs: number): Waiting[] {
  queue.sort((left, right) => Number(isRecent(right, nowMs)) - Number(isRecent(left, nowMs)));
  let days = 0;
  const end = queue.findIndex((one, index) => {
    days += one.days.length;
    return index > 0 && days > MOST_DAYS;
  });
  return queue.splice(0, end === -1 ? queue.length : end);
}

async function buildBatch(deps: BatchDeps, asked: readonly Waiting[]): Promise<void> {
  const batch = asked.filter((one) => {
    if (one.signal.aborted) one.ended.reject(one.signal.reason);
    return !one.signal.aborted;
  });
  if (batch.length === 0) return;
  const signal = AbortSignal.any(batch.map((one) => one.signal));
  try {
    const outcomes = await buildBars(deps, batch, signal);
    for (const [index, { ended }] of batch.entries()) {
      const outcome = outcomes[index] ?? 'busy';
      if (outcome instanceof CdvaultError) ended.reject(outcome);
      else ended.resolve(outcome);
    }
  } catch (error) {
    for (const one of batch) {
      // The abort of one job ends the batch; the others are asked for again.
      if (signal.aborted && !one.signal.aborted) one.ended.resolve('busy');
      else one.ended.reject(error);
    }
  }
}
