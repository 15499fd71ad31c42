import { DAY_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobContext } from '../../ports/job-queue.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { BarRequest, type Built, PATIENCE_MS } from './bar-request.ts';
import { buildBars, type BuildBarsDeps } from './build-bars.ts';
import type { WantedBars } from './series-build.ts';

/**
 * The most days of all series in one request to the store: their bars are some 8,000 rows each, and each
 * holds its ledger rows in memory.
 */
const DAYS_AT_ONCE = 1_550;

/**
 * A batch begins when so many wait: the stretches of 200 series, and some. Fewer jobs than a worker runs at
 * once (see the catalogue), so that recent days find room while they wait.
 */
export const ENOUGH_REQUESTS = 256;

/** How often a waiting batch looks whether more days are on their way. */
const LOOK_AGAIN_MS = 250;

interface BatchDeps extends BuildBarsDeps {
  readonly clock: Clock;
  readonly tracing: Tracing;
  /** Whether jobs that will ask for bars are waiting or running. */
  readonly isMoreToCome: () => Promise<boolean>;
  /** Default: DAYS_AT_ONCE. */
  readonly daysAtOnce?: number;
}

export type BarBatches = (wanted: WantedBars, context: JobContext) => Promise<Built>;

/**
 * Builds bars in batches, one at a time: a batch takes all days that were asked for while the batch before it
 * was built, and waits for more as long as trades of other days are on their way. It is built in spans of
 * days of all its series, oldest first, because series share partitions of a day: each is then rewritten once
 * for a batch.
 */
export function createBarBatches(deps: BatchDeps): BarBatches {
  const { clock, daysAtOnce = DAYS_AT_ONCE } = deps;
  const queue: BarRequest[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    try {
      while (queue.length > 0) {
        const patienceMs = await untilReady(deps, queue);
        const days = queue.reduce((sum, one) => sum + one.days.length, 0);
        if (days > daysAtOnce) await buildHurried();
        await build(take(queue, patienceMs, clock));
      }
    } finally {
      isRunning = false;
    }
  }

  /** A batch of several spans takes minutes: days that do not wait so long go before and between them. */
  async function buildHurried(): Promise<void> {
    await build(take(queue, PATIENCE_MS.day, clock));
  }

  async function build(batch: readonly BarRequest[]): Promise<void> {
    for (const [index, endMs] of spanEnds(batch, daysAtOnce).entries()) {
      if (index > 0 && batch.some(({ isEnding }) => isEnding)) {
        // The worker is to end soon: what is built stays, the rest is asked for again.
        for (const one of batch.filter(({ isOver }) => !isOver)) one.putOff();
        return;
      }
      if (index > 0) await buildHurried();
      await buildSpan(deps, batch, endMs);
    }
  }

  return async (wanted, context) => {
    context.signal.throwIfAborted();
    const request = new BarRequest(wanted, context, clock.nowMs());
    queue.push(request);
    if (!isRunning) void run();
    return request.ended;
  };
}

/** @returns the patience of those to build: requests that wait longer than this wait on */
async function untilReady(
  { clock, isMoreToCome, log }: BatchDeps,
  queue: BarRequest[],
): Promise<number> {
  let isAborted = AbortSignal.any([]);
  let asked = 0;
  for (;;) {
    if (dropAborted(queue)) asked = 0;
    if (queue.length === 0) return 0;
    if (queue.length >= ENOUGH_REQUESTS) return Infinity;
    const latePatience = latePatienceMs(queue, clock);
    if (latePatience > 0) return latePatience;
    try {
      if (!(await isMoreToCome())) return Infinity;
    } catch (error) {
      // Waiting only saves work.
      log.debug({ error: String(error) }, 'could not ask whether more days are on their way');
      return Infinity;
    }
    // Not at each look: hundreds of signals keep a trace of each signal that was made of them.
    if (asked !== queue.length) isAborted = AbortSignal.any(queue.map(({ signal }) => signal));
    asked = queue.length;
    await clock.sleep(LOOK_AGAIN_MS, isAborted).catch(() => undefined);
  }
}

/** One that has ended is no reason to build the others already. @returns whether there was one */
function dropAborted(queue: BarRequest[]): boolean {
  const ended = queue.filter(({ signal }) => signal.aborted);
  for (const one of ended) one.fail(one.signal.reason);
  if (ended.length > 0)
    queue.splice(0, queue.length, ...queue.filter(({ signal }) => !signal.aborted));
  return ended.length > 0;
}

/** @returns the longest patience that is at its end; 0 when none is */
function latePatienceMs(queue: readonly BarRequest[], clock: Clock): number {
  const nowMs = clock.nowMs();
  return Math.max(
    0,
    ...queue.filter((one) => one.isLate(nowMs)).map((one) => one.patienceMs(nowMs)),
  );
}

/** Takes the requests that do not wait longer than this. */
function take(queue: BarRequest[], patienceMs: number, clock: Clock): readonly BarRequest[] {
  const nowMs = clock.nowMs();
  const { taken = [], left = [] } = Object.groupBy(queue, (one) =>
    one.patienceMs(nowMs) <= patienceMs ? 'taken' : 'left',
  );
  queue.splice(0, queue.length, ...left);
  return taken;
}

/** Where the spans end: each has at most so many days of all series, or is a single day. */
function spanEnds(batch: readonly BarRequest[], daysAtOnce: number): readonly number[] {
  const seriesOn = new Map<number, number>();
  for (const dayMs of batch.flatMap(({ days }) => days))
    seriesOn.set(dayMs, (seriesOn.get(dayMs) ?? 0) + 1);
  const ends: number[] = [];
  let days = 0;
  for (const [dayMs, count] of [...seriesOn].sort(([left], [right]) => left - right)) {
    days += count;
    if (days > daysAtOnce) days = count;
    else ends.pop();
    ends.push(dayMs + DAY_MS);
  }
  return ends;
}

/** Builds the days before this instant, of all requests that are not over. */
async function buildSpan(
  deps: BatchDeps,
  batch: readonly BarRequest[],
  endMs: number,
): Promise<void> {
  const open = batch.filter(({ isOver }) => !isOver);
  for (const one of open) if (one.signal.aborted) one.fail(one.signal.reason);
  const asked = open.flatMap((request) => {
    const days = request.days.filter((dayMs) => dayMs < endMs);
    return request.isOver || days.length === 0 ? [] : [{ request, series: request.series, days }];
  });
  if (asked.length === 0) return;
  const signal = AbortSignal.any(asked.map(({ request }) => request.signal));
  try {
    const startedMs = deps.clock.nowMs();
    const outcomes = await buildBars(deps, asked, signal);
    const days = asked.reduce((sum, one) => sum + one.days.length, 0);
    deps.tracing.part('build bars', deps.clock.nowMs() - startedMs, { days });
    for (const [index, { request }] of asked.entries())
      request.take(outcomes[index] ?? 'busy', endMs);
  } catch (error) {
    for (const one of batch.filter(({ isOver }) => !isOver)) {
      // The abort of one job ends the batch; the others are asked for again.
      if (signal.aborted && !one.signal.aborted) one.putOff();
      else one.fail(error);
    }
  }
}
