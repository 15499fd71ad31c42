/**
 * The feed job: enqueues the days of a range through a window. Each run of the job's handler is one look.
 *
 * States of a feed (one for each run and series), and what may follow:
 *   feeding   the ledger may have more due days: up to WINDOW_DAYS of them are enqueued and pending
 *             → feeding (next look after 500 ms), ending, over
 *   ending    all due days are enqueued (`exhausted`); days are pending, or bars are on their way
 *             → ending (next look after 100 ms), over
 *   over      nothing is pending: a chain job is added and the feed job is done → nothing
 * A look that fails drops the state: the next attempt starts from the ledger, in `feeding`.
 */

import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import { type DayEdge, type DayWork, suitsArchive } from '../../domain/plan/plan.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobOutcome, JobPayloads, JobQueue } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { askBriefly } from '../witness.ts';
import { daysBehind, dueDays, type PlanDeps } from '../plan/plan-series.ts';

/**
 * Days of one series that may be in Redis at a time: 24 × 25 jobs of 1.6 KB each, so that 100 series
 * stay below 100 MB. The rest of the range stays in the ledger, where it uses no memory.
 */
const WINDOW_DAYS = 24;
/** Delay between looks: while days are still to be added (`feeding`), then until the last ones are done. */
const LOOK_AGAIN_MS = { feeding: 500, ending: 100 };
/** Days this recent have priority over history. */
const LIVE_MS = 2 * DAY_MS;

type FeedRequest = JobPayloads['feed'];

interface FeedState {
  readonly days: AsyncIterator<DayWork>;
  readonly pending: Set<number>;
  /** Days whose bars were requested once more at the end. */
  readonly rebuilt: Set<number>;
  exhausted: boolean;
  /** Asked once per run, and only when something depends on it. */
  mayBeForgotten?: Promise<boolean>;
}

type FeedDeps = PlanDeps & {
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly source: Pick<TradeSource, 'historyMs' | 'isTrading'>;
  readonly files: ArchiveFiles;
  readonly log: Log;
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
    await forgetFinished(deps.queue, request, state);
    await topUp(deps, request, state, signal);
    const isOver = state.exhausted && state.pending.size === 0;
    if (!isOver || (await areBarsOnTheirWay(deps, request, state, signal))) {
      signal.throwIfAborted();
      states.set(key, state);
      return { again: { delayMs: LOOK_AGAIN_MS[state.exhausted ? 'ending' : 'feeding'] } };
    }
    signal.throwIfAborted();
    // Bars jobs enqueue the chain job themselves; this one repairs a chain that was interrupted.
    await deps.queue.addChain(request);
    return { done: true };
  };
}

/**
 * A day may change after its own jobs are done, or while its bars are being built from older facts: the
 * job of the neighbouring day may prove its last hour. Whether bars are due is decided by comparison, so
 * they are requested once more per run. A failure then is final.
 */
async function areBarsOnTheirWay(
  { queue, ...deps }: FeedDeps,
  request: FeedRequest,
  { rebuilt }: FeedState,
  signal: AbortSignal,
): Promise<boolean> {
  let areAny = false;
  for await (const dayMs of daysBehind(deps, request, request)) {
    signal.throwIfAborted();
    if (await queue.barsPending(request, dayMs)) areAny = true;
    else if (!rebuilt.has(dayMs) && !(await hasFailed(queue, request, dayMs))) {
      rebuilt.add(dayMs);
      await queue.addBars(request, dayMs);
      areAny = true;
    }
  }
  return areAny;
}

async function hasFailed(queue: JobQueue, request: FeedRequest, dayMs: number): Promise<boolean> {
  return (await queue.dayStates(request.runId, request, [dayMs])).includes('failed');
}

function start(deps: FeedDeps, request: FeedRequest): FeedState {
  const range: TimeRange = { startMs: request.startMs, endMs: request.endMs };
  const patience =
    request.isScheduled === true ? { files: deps.files, nowMs: deps.clock.nowMs() } : undefined;
  return {
    days: dueDays(deps, request, range, patience),
    pending: new Set(),
    rebuilt: new Set(),
    exhausted: false,
  };
}

async function forgetFinished(
  queue: JobQueue,
  request: FeedRequest,
  state: FeedState,
): Promise<void> {
  const days = [...state.pending];
  const found = await queue.dayStates(request.runId, request, days);
  for (const [index, dayMs] of days.entries()) {
    if (found[index] !== 'pending') state.pending.delete(dayMs);
  }
}

async function topUp(
  deps: FeedDeps,
  request: FeedRequest,
  state: FeedState,
  signal: AbortSignal,
): Promise<void> {
  const fresh: DayWork[] = [];
  while (!state.exhausted && state.pending.size + fresh.length < WINDOW_DAYS) {
    const next = await state.days.next();
    signal.throwIfAborted();
    if (next.done === true) state.exhausted = true;
    else fresh.push(await sourced(deps, next.value, { request, state }, signal));
  }
  const liveFromMs = deps.clock.nowMs() - LIVE_MS;
  for (const priority of ['live', 'backfill'] as const) {
    const days = fresh.filter(({ dayMs }) => dayMs >= liveFromMs === (priority === 'live'));
    if (days.length > 0) await deps.queue.addDays(request.runId, request, days, priority);
  }
  for (const { dayMs } of fresh) state.pending.add(dayMs);
}

async function sourced(
  deps: FeedDeps,
  day: DayWork,
  { request, state }: { readonly request: FeedRequest; readonly state: FeedState },
  signal: AbortSignal,
): Promise<DayWork> {
  const { market, source = 'auto' } = request;
  const historyMs = deps.source.historyMs(market);
  const policy = { source, historyMs, nowMs: deps.clock.nowMs() };
  const byFile = { ...day, fromArchive: source, edges: edgesOf(day, request) };
  if (suitsArchive(day, policy)) return byFile;
  // A few hours cost less by REST, unless it no longer serves the symbol.
  if (!suitsArchive(day, { ...policy, mayBeForgotten: true })) return day;
  state.mayBeForgotten ??= mayBeForgotten(deps, request, signal);
  return (await state.mayBeForgotten) ? byFile : day;
}

/**
 * Whether the symbol is no longer traded, so that REST may not serve it. If the exchange can't be asked,
 * it can't serve the hours either, and their jobs will report that.
 */
async function mayBeForgotten(
  { source, log }: FeedDeps,
  series: Series,
  signal: AbortSignal,
): Promise<boolean> {
  const isTrading = await askBriefly(signal, (briefly) => source.isTrading(series, briefly));
  if (!(isTrading instanceof CdvaultError)) return !isTrading;
  log.warn(
    { symbol: series.symbol, error: isTrading.message },
    'could not ask whether the exchange still trades the symbol',
  );
  return false;
}

function edgesOf({ dayMs }: DayWork, { startMs, endMs }: FeedRequest): DayEdge[] {
  return [
    ...(dayMs <= startMs ? (['before'] as const) : []),
    ...(dayMs + DAY_MS >= endMs ? (['after'] as const) : []),
  ];
}
