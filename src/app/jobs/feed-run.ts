/**
 * The feed job: enqueues the days of a range through a window. Each run of the job's handler is one look.
 *
 * States of a feed (one for each run and series), and what may follow:
 *   feeding   the ledger may have more due days: WINDOW_DAYS or WINDOW_STRETCHES are enqueued and pending
 *             → feeding (next look after 500 ms), ending, over
 *   ending    all due days are enqueued (`exhausted`); days are pending, or bars are on their way
 *             → ending (next look after 100 ms, or an eighth of the time since a day ended), over
 *   over      nothing is pending: a chain job is added and the feed job is done → nothing
 * A look that fails drops the state: the next attempt starts from the ledger, in `feeding`.
 */

import { monthOf } from '../../domain/archive/archive-name.ts';
import { compactDay, DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { JobOutcome, JobPayloads, JobQueue } from '../../ports/job-queue.ts';
import { DaySources, type DaySourcesDeps } from './day-sources.ts';
import { daysBehind, dueDays, type PlanDeps } from '../plan/plan-series.ts';

/**
 * Days of one series that may be in Redis at a time: 24 × 25 jobs of 1.6 KB each, so that 100 series
 * stay below 100 MB. The rest of the range stays in the ledger, where it uses no memory. A stretch of many
 * days is one job of up to 12 KB, and two of them may be there: one is worked on while the other waits.
 */
const WINDOW_DAYS = 24;
const WINDOW_STRETCHES = 2;
/** Delay between looks while days are still to be added. */
const LOOK_AGAIN_MS = 500;
/**
 * Delay between looks for the end of the last days: an eighth of the time since a day ended. The feeds of an hour of
 * all series end together, and each look is four round trips to Redis. Nobody waits for the end of a scheduled one.
 */
const LOOKS_IN_VAIN = 8;
const ENDING_MS = { first: 100, last: 1_000, ofSchedule: 10_000 };
/** Days this recent have priority over history. */
const LIVE_MS = 2 * DAY_MS;

type FeedRequest = JobPayloads['feed'];

interface FeedState {
  readonly days: AsyncIterator<DayWork>;
  readonly sources: DaySources;
  /** The first day of the next stretch, once it has been read. */
  ahead?: DayWork | undefined;
  /** Days that stand alone, of the stretch before it. */
  readonly aside: DayWork[];
  /** The number of days of each pending stretch, by its name. */
  readonly pending: Map<string, number>;
  /** The names of the stretches of all days that were enqueued. */
  readonly nameOf: Map<number, string>;
  /** Days whose bars were requested once more at the end. */
  readonly rebuilt: Set<number>;
  /** When a day last ended, or was added. */
  movedAtMs: number;
  exhausted: boolean;
}

/** Days that one flow works on. */
interface Stretch {
  readonly name: string;
  readonly days: readonly DayWork[];
}

type FeedDeps = PlanDeps &
  DaySourcesDeps & {
    readonly queue: JobQueue;
    readonly files: ArchiveFiles;
  };

export type FeedRun = (request: FeedRequest, signal: AbortSignal) => Promise<JobOutcome>;

/**
 * Enqueues a range through a window of days, oldest first. The position is kept in this process only:
 * another process that takes the job over, and a retry after a failure, start from the ledger, and days
 * that are proven by then are skipped.
 */
export function createFeedRun(deps: FeedDeps): FeedRun {
  const states = new Map<string, FeedState>();

  return async (request, signal) => {
    const key = `${request.runId} ${request.market} ${request.symbol}`;
    const state = states.get(key) ?? start(deps, request);
    // Put back only when this look succeeds: a failed one may have taken days that were never enqueued.
    states.delete(key);
    await forgetFinished(deps, request, state);
    await topUp(deps, request, state, signal);
    const isOver = state.exhausted && state.pending.size === 0;
    if (!isOver || (await areBarsOnTheirWay(deps, request, state, signal))) {
      signal.throwIfAborted();
      states.set(key, state);
      return { again: { delayMs: delayOf(state, request, deps.clock.nowMs()) } };
    }
    signal.throwIfAborted();
    await deps.queue.leaveRun(request.runId, request);
    // Bars jobs enqueue the chain job themselves; this one repairs a chain that was interrupted.
    await deps.queue.addChain(request);
    return { done: true };
  };
}

function delayOf(
  { exhausted, movedAtMs }: FeedState,
  { isScheduled }: FeedRequest,
  nowMs: number,
): number {
  if (!exhausted) return LOOK_AGAIN_MS;
  const most = isScheduled === true ? ENDING_MS.ofSchedule : ENDING_MS.last;
  return Math.round(clamped((nowMs - movedAtMs) / LOOKS_IN_VAIN, ENDING_MS.first, most));
}

function clamped(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/**
 * A day may change after its own jobs are done, or while its bars are being built from older facts: the
 * job of the neighbouring day may prove its last hour. Whether bars are due is decided by comparison, so
 * they are requested once more per run. A failure then is final.
 */
async function areBarsOnTheirWay(
  { queue, ...deps }: FeedDeps,
  request: FeedRequest,
  { rebuilt, nameOf }: FeedState,
  signal: AbortSignal,
): Promise<boolean> {
  let areAny = false;
  for await (const dayMs of daysBehind(deps, request, request)) {
    signal.throwIfAborted();
    if (await queue.barsPending(request, dayMs)) areAny = true;
    else if (!rebuilt.has(dayMs)) {
      const name = nameOf.get(dayMs) ?? compactDay(dayMs);
      if (await hasFailed(queue, request, name)) continue;
      rebuilt.add(dayMs);
      await queue.addBars(request, dayMs);
      areAny = true;
    }
  }
  return areAny;
}

async function hasFailed(queue: JobQueue, request: FeedRequest, stretch: string): Promise<boolean> {
  return (await queue.stretchStates(request.runId, request, [stretch])).includes('failed');
}

function start(deps: FeedDeps, request: FeedRequest): FeedState {
  const range: TimeRange = { startMs: request.startMs, endMs: request.endMs };
  const patience =
    request.isScheduled === true ? { files: deps.files, nowMs: deps.clock.nowMs() } : undefined;
  return {
    days: dueDays(deps, request, range, { patience }),
    sources: new DaySources(deps, request),
    aside: [],
    pending: new Map(),
    nameOf: new Map(),
    rebuilt: new Set(),
    movedAtMs: deps.clock.nowMs(),
    exhausted: false,
  };
}

/**
 * Days of a stretch that are taken by REST, or of which only the bars are due, stand alone: they wait aside
 * until the stretch is complete, since all its days must be enqueued at once.
 * @returns undefined when there are no more due days
 */
async function nextStretch(state: FeedState, signal: AbortSignal): Promise<Stretch | undefined> {
  const waiting = state.aside.shift();
  if (waiting !== undefined) return alone(waiting);
  let stretch: { readonly name: string; readonly days: DayWork[] } | undefined;
  for (;;) {
    const day = state.ahead ?? (await nextDay(state, signal));
    state.ahead = undefined;
    if (day === undefined) return stretch;
    const [first = day] = stretch?.days ?? [];
    const isOfMonth = monthOf(first.dayMs).startMs === monthOf(day.dayMs).startMs;
    if (stretch !== undefined && (!isOfMonth || (day.stretch ?? stretch.name) !== stretch.name)) {
      state.ahead = day;
      return stretch;
    }
    if (day.stretch === undefined) {
      if (stretch === undefined) return alone(day);
      state.aside.push(day);
    } else {
      stretch ??= { name: day.stretch, days: [] };
      stretch.days.push(day);
    }
  }
}

function alone(day: DayWork): Stretch {
  return { name: compactDay(day.dayMs), days: [day] };
}

async function nextDay(
  { days, sources }: FeedState,
  signal: AbortSignal,
): Promise<DayWork | undefined> {
  const next = await days.next();
  signal.throwIfAborted();
  return next.done === true ? undefined : sources.of(next.value, signal);
}

async function forgetFinished(
  { queue, clock }: Pick<FeedDeps, 'queue' | 'clock'>,
  request: FeedRequest,
  state: FeedState,
): Promise<void> {
  const { pending } = state;
  const names = [...pending.keys()];
  const found = await queue.stretchStates(request.runId, request, names);
  for (const [index, name] of names.entries()) {
    if (found[index] === 'pending') continue;
    pending.delete(name);
    state.movedAtMs = clock.nowMs();
  }
}

async function topUp(
  deps: FeedDeps,
  request: FeedRequest,
  state: FeedState,
  signal: AbortSignal,
): Promise<void> {
  const fresh = new Map<string, readonly DayWork[]>();
  while (
    !state.exhausted &&
    hasRoom([...state.pending.values(), ...[...fresh.values()].map(({ length }) => length)])
  ) {
    const stretch = await nextStretch(state, signal);
    signal.throwIfAborted();
    if (stretch === undefined) state.exhausted = true;
    else fresh.set(stretch.name, stretch.days);
  }
  const liveFromMs = deps.clock.nowMs() - LIVE_MS;
  const isLive = (days: readonly DayWork[]) => days.some(({ dayMs }) => dayMs >= liveFromMs);
  for (const priority of ['live', 'backfill'] as const) {
    const flows = [...fresh.values()].filter((days) => isLive(days) === (priority === 'live'));
    if (flows.length > 0) await deps.queue.addDays(request.runId, request, flows.flat(), priority);
  }
  if (fresh.size > 0) state.movedAtMs = deps.clock.nowMs();
  for (const [name, days] of fresh) {
    state.pending.set(name, days.length);
    for (const { dayMs } of days) state.nameOf.set(dayMs, name);
  }
}

/** @param days of each stretch */
function hasRoom(days: readonly number[]): boolean {
  const all = days.reduce((sum, count) => sum + count, 0);
  return all < WINDOW_DAYS || days.length < WINDOW_STRETCHES;
}
