import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import {
  DAY_MS,
  daysOf,
  floorTo,
  HOUR_MS,
  hoursOf,
  type TimeRange,
} from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Partition, StorePartitions } from '../../ports/partitions.ts';
import type { PrunedDay, Prunings } from '../../ports/prunings.ts';
import { type SettledDeps, settledTrades } from '../compact/settled-trades.ts';
import type { Reason } from '../compact/convert-partitions.ts';
import { hourLease, OWNED_WRITE_MS } from '../leases.ts';

export interface PruneDeps extends SettledDeps {
  readonly partitions: Pick<StorePartitions, 'trades'>;
  readonly prunings: Prunings;
  readonly leases: Leases;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/**
 * Why a partition keeps its trades. `newest`, `bars_due`, `differs`: as for compact. `unproven`: an hour of a day
 * that has trades is not proven, or only because the symbol has ended. `edge`: the hour after the partition is not
 * proven, or rows of it lie in the partition. `busy`: somebody works on an hour of it.
 */
export type Kept = Exclude<Reason, 'recent'> | 'edge' | 'busy';

/** What is known of a partition. `due`: it can be pruned. */
type Judged = { readonly partition: Partition } & (
  | { readonly state: 'due'; readonly days: readonly PrunedDay[] }
  | { readonly state: 'kept'; readonly why: Kept }
);

/** What was done about a partition. In a dry run, those that can be pruned stay due. */
export type PruneStep =
  | Judged
  | {
      readonly partition: Partition;
      readonly state: 'pruned';
      readonly days: readonly PrunedDay[];
    };

interface PruneOptions {
  readonly isDryRun: boolean;
  /** Only partitions that end at or before this instant are pruned. */
  readonly beforeMs: number;
}

/**
 * Drops the trades of a series' partitions in which every hour is proven and the bars are built, newest first: the
 * rows of an hour may lie in the partition before its own, which can only be dropped when the hour's is. The days
 * are recorded before they are dropped, so that a partition whose drop was interrupted is dropped by the next run.
 */
export async function* pruneSeries(
  deps: PruneDeps,
  series: Series,
  { isDryRun, beforeMs }: PruneOptions,
  signal: AbortSignal,
): AsyncGenerator<PruneStep> {
  const all = await deps.partitions.trades.list(series);
  // In a dry run nothing is recorded.
  const due = new Set<number>();
  for (const partition of all.filter(({ endMs }) => endMs <= beforeMs).toReversed()) {
    signal.throwIfAborted();
    const step = isDryRun
      ? await judged(deps, series, partition, due)
      : await prune(deps, series, partition, signal);
    if (step.state === 'due') for (const { dayMs } of step.days) due.add(dayMs);
    yield step;
  }
}

async function prune(
  deps: PruneDeps,
  series: Series,
  partition: Partition,
  signal: AbortSignal,
): Promise<PruneStep> {
  // Nobody can fetch one of its hours meanwhile.
  const names = [...hoursOf(partition)].map((hourMs) => hourLease({ ...series, hourMs }));
  const lease = await deps.leases.tryAcquire(names, signal);
  if (lease === undefined) return { partition, state: 'kept', why: 'busy' };
  try {
    const step = await judged(deps, series, partition, new Set());
    if (step.state !== 'due') return step;
    const nowMs = deps.clock.nowMs();
    const days = step.days.map((day) => ({ ...day, prunedAtMs: nowMs }));
    await lease.assertHeld(OWNED_WRITE_MS);
    await deps.prunings.record(series, days);
    await deps.partitions.trades.drop(
      series,
      partition.name,
      AbortSignal.any([signal, lease.signal]),
    );
    return { partition, state: 'pruned', days };
  } finally {
    await lease.release();
  }
}

/** @param due days that would have been pruned before, in a dry run */
async function judged(
  deps: PruneDeps,
  series: Series,
  partition: Partition,
  due: ReadonlySet<number>,
): Promise<Judged> {
  const kept = (why: Kept) => ({ partition, state: 'kept', why }) as const;
  if (partition.isNewest) return kept('newest');
  const { startMs, endMs } = partition;
  const known = await deps.prunings.days(series, { startMs, endMs: endMs + DAY_MS });
  const pruned = new Map(known.map((day) => [day.dayMs, day]));
  const records = await deps.ledger.records(series, { startMs, endMs: endMs + HOUR_MS });
  if (!isLeftAlone(records, endMs, (dayMs) => pruned.has(dayMs) || due.has(dayMs)))
    return kept('edge');
  const byDay = Map.groupBy(records, ({ hourMs }) => floorTo(hourMs, DAY_MS));
  const days: PrunedDay[] = [];
  for (const dayMs of daysOf(partition)) {
    const hours = byDay.get(dayMs) ?? [];
    const before = pruned.get(dayMs);
    if (before !== undefined) days.push(before);
    else if (hours.length > 0) {
      if (hours.length < 24 || !hours.every(isProvenByIds)) return kept('unproven');
      days.push({ dayMs, rows: rowsOf(hours), prunedAtMs: 0 });
    }
  }
  for (const span of spansOf(startMs, endMs, (dayMs) => pruned.has(dayMs))) {
    const why = await unsettled(deps, series, { ...partition, ...span }, records);
    if (why !== undefined) return kept(why);
  }
  return { partition, state: 'due', days };
}

/** Whether dropping everything before `endMs` takes no row from an hour after it. */
function isLeftAlone(
  records: readonly SliceRecord[],
  endMs: number,
  isPruned: (dayMs: number) => boolean,
): boolean {
  const next = records.find(({ hourMs }) => hourMs === endMs);
  if (next === undefined || verdictOf(next) !== 'proven') return false;
  return next.reachBack.rows === 0 || isPruned(endMs);
}

/** An hour that only the end of its symbol proves is fetched again when the symbol trades again. */
function isProvenByIds(record: SliceRecord): boolean {
  return verdictOf(record) === 'proven' && record.next !== undefined;
}

function rowsOf(records: readonly SliceRecord[]): number {
  return records.reduce((sum, { rows }) => sum + rows, 0);
}

/** Days in a row that are not pruned yet. */
function* spansOf(
  startMs: number,
  endMs: number,
  isPruned: (dayMs: number) => boolean,
): Generator<TimeRange> {
  let fromMs: number | undefined;
  for (let dayMs = startMs; dayMs <= endMs; dayMs += DAY_MS) {
    const isOpen = dayMs < endMs && !isPruned(dayMs);
    if (isOpen) fromMs ??= dayMs;
    else if (fromMs !== undefined) {
      yield { startMs: fromMs, endMs: dayMs };
      fromMs = undefined;
    }
  }
}

/** @returns why the trades of a part of a partition are not those that the ledger counts, with bars built from them */
async function unsettled(
  deps: PruneDeps,
  series: Series,
  partition: Partition,
  all: readonly SliceRecord[],
): Promise<Kept | undefined> {
  const { startMs, endMs } = partition;
  const records = all.filter(
    ({ hourMs, reachBack }) =>
      hourMs >= startMs && (hourMs < endMs || (hourMs === endMs && reachBack.rows > 0)),
  );
  const settled = await settledTrades(deps, series, { partition, records, beforeMs: Infinity });
  if (typeof settled !== 'string') return undefined;
  return settled === 'recent' ? 'busy' : settled;
}
