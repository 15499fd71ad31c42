import { HOUR_MS, floorTo } from '../../domain/time/hour.ts';
import { type Market, MARKETS, type Series, seriesKey } from '../../domain/market.ts';
import type { ScheduleRule } from '../../domain/plan/schedule-rule.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  JobQueue,
  NewestFailure,
  QueueCounts,
  RunningJobFacts,
} from '../../ports/job-queue.ts';
import type { Ledger, SeriesCatalogue, SeriesCoverage } from '../../ports/ledger.ts';
import type { ScheduleRules } from '../../ports/schedule-rules.ts';
import type { CoverageCell, StoreLook } from '../../ports/status.ts';
import type { MarketUsage, StoreWatch } from '../../ports/watch.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import type { RegisteredWorker, WorkerRegister } from '../../ports/worker-register.ts';
import { lagOf } from '../lag.ts';

export interface LookDeps {
  readonly ledger: Pick<Ledger, 'overview'>;
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly rules: Pick<ScheduleRules, 'all'>;
  readonly queue: Pick<JobQueue, 'counts' | 'running' | 'newestFailure' | 'hasTick'>;
  readonly governor: Pick<WeightGovernor, 'state'>;
  readonly register: Pick<WorkerRegister, 'all'>;
  /** The name of the address that this process asks from. */
  readonly config: { readonly egress: string };
  readonly store: Pick<StoreWatch, 'health'>;
  readonly look: StoreLook;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** What a cell of the strip says: the worst of its hours. `none`: outside of the stored range. */
export type CellState = 'none' | 'proven' | 'open' | 'unknown' | 'gap';

export interface SeriesStatus extends SeriesCoverage {
  readonly cells: readonly CellState[];
  /** undefined when the series is not scheduled. */
  readonly scheduledFromMs: number | undefined;
  /** Of a scheduled series: time since the end of its newest proven hour. */
  readonly lagMs: number | undefined;
  /** Of its trades on disk; undefined when not asked for. */
  readonly bytes: number | undefined;
}

export interface Strip {
  readonly fromMs: number;
  readonly cellMs: number;
}

export interface StatusFacts {
  readonly atMs: number;
  /** Those that need attention first. */
  readonly series: readonly SeriesStatus[];
  readonly strip: Strip;
  readonly queues: readonly QueueCounts[];
  /** Jobs that run, oldest first; at most RUNNING_SHOWN of each kind. */
  readonly running: readonly RunningJobFacts[];
  readonly lastFailure: NewestFailure | undefined;
  /** On all hosts. */
  readonly workers: readonly RegisteredWorker[];
  /** Of this process's address and those of the workers; only markets that are in use. */
  readonly exchange: readonly EgressUsage[];
  readonly store: {
    readonly isSchemaCurrent: boolean;
    readonly suspended: readonly string[];
    readonly pendingTransactions: number;
  };
  /** Rules of the schedule. */
  readonly rules: readonly ScheduleRule[];
  readonly tickLost: boolean;
}

export interface EgressUsage extends MarketUsage {
  readonly egress: string;
}

/** Of each kind of job; the others are counted. */
const RUNNING_SHOWN = 5;

/**
 * Everything that an operator looks at, at one time.
 * @param cells number of cells in the strip
 * @param bytes known sizes; undefined: none
 */
export async function lookAtAll(
  deps: LookDeps,
  cells: number,
  bytes: ReadonlyMap<string, number> = new Map(),
): Promise<StatusFacts> {
  const [coverage, known, rules, queues, running, lastFailure, hasTick, workers, health] =
    await Promise.all([
      deps.ledger.overview(),
      deps.catalogue.all(),
      deps.rules.all(),
      deps.queue.counts(),
      deps.queue.running(RUNNING_SHOWN),
      deps.queue.newestFailure(),
      deps.queue.hasTick(),
      deps.register.all(),
      deps.store.health(),
    ]);
  const egresses = new Set([deps.config.egress, ...workers.map(({ egress }) => egress)]);
  const usage = await Promise.all(
    [...egresses].flatMap((egress) => MARKETS.map((market) => usageOf(deps, market, egress))),
  );
  const atMs = deps.clock.nowMs();
  const strip = stripOf(coverage, cells);
  const found = await deps.look.coverageCells(strip.fromMs, strip.cellMs);
  const byKey = Map.groupBy(found, (cell) => seriesKey(cell));
  const scheduledFrom = new Map(known.map((one) => [seriesKey(one), one.scheduledFromMs]));
  const series = coverage.map((one): SeriesStatus => {
    const key = seriesKey(one);
    const scheduledFromMs = scheduledFrom.get(key);
    return {
      ...one,
      cells: cellStates(one, strip, cells, byKey.get(key) ?? []),
      scheduledFromMs,
      lagMs: scheduledFromMs === undefined ? undefined : lagOf(scheduledFromMs, one, atMs),
      bytes: bytes.get(key),
    };
  });
  return {
    atMs,
    series: series.toSorted(byNeed),
    strip,
    queues,
    running,
    lastFailure,
    workers,
    exchange: usage.filter(({ weightLimit, pause }) => weightLimit > 0 || pause !== undefined),
    store: {
      isSchemaCurrent: health.isSchemaCurrent,
      suspended: health.tables.filter(({ isSuspended }) => isSuspended).map(({ name }) => name),
      pendingTransactions: health.tables.reduce((sum, one) => sum + one.pendingTransactions, 0),
    },
    rules,
    tickLost:
      !hasTick &&
      (rules.length > 0 || known.some(({ scheduledFromMs }) => scheduledFromMs !== undefined)),
  };
}

async function usageOf(
  { governor }: Pick<LookDeps, 'governor'>,
  market: Market,
  egress: string,
): Promise<EgressUsage> {
  return { market, egress, ...(await governor.state(market, egress)) };
}

/** Cells of whole hours over all that is stored. */
function stripOf(coverage: readonly SeriesCoverage[], cells: number): Strip {
  const fromMs = coverage.reduce((first, { startMs }) => Math.min(first, startMs), Infinity);
  const toMs = coverage.reduce((last, { endMs }) => Math.max(last, endMs), 0);
  if (coverage.length === 0) return { fromMs: 0, cellMs: HOUR_MS };
  const cellMs = Math.max(1, Math.ceil((toMs - fromMs) / cells / HOUR_MS)) * HOUR_MS;
  return { fromMs, cellMs };
}

function cellStates(
  { startMs, endMs }: SeriesCoverage,
  { fromMs, cellMs }: Strip,
  count: number,
  found: readonly CoverageCell[],
): CellState[] {
  const byIndex = new Map(found.map((cell) => [cell.index, cell]));
  return Array.from({ length: count }, (_, index): CellState => {
    const cellStartMs = fromMs + index * cellMs;
    const inside = Math.min(endMs, cellStartMs + cellMs) - Math.max(startMs, cellStartMs);
    if (inside <= 0) return 'none';
    const { proven = 0, open = 0, gap = 0 } = byIndex.get(index) ?? {};
    if (gap > 0) return 'gap';
    if (proven + open + gap < inside / HOUR_MS) return 'unknown';
    return open > 0 ? 'open' : 'proven';
  });
}

/** An hour comes two minutes after its end, with the hourly tick: this late is nothing yet. */
export const USUAL_LAG_MS = 3 * HOUR_MS;

export function isLate({ lagMs }: Pick<SeriesStatus, 'lagMs'>): boolean {
  return lagMs !== undefined && lagMs > USUAL_LAG_MS;
}

/** The newest hour of a scheduled series is open until the next trade is known. */
export function needsAttention(one: SeriesStatus): boolean {
  const openIsUsual = one.scheduledFromMs !== undefined ? 1 : 0;
  return one.gap > 0 || one.unknown > 0 || one.open > openIsUsual || isLate(one);
}

/** By what is worst, then by how much of it there is, then by name. */
function byNeed(left: SeriesStatus, right: SeriesStatus): number {
  const needs = (one: SeriesStatus) => [
    one.gap,
    isLate(one) ? floorTo(one.lagMs ?? 0, HOUR_MS) : 0,
    one.unknown,
    needsAttention(one) ? one.open : 0,
  ];
  const [mine, other] = [needs(left), needs(right)];
  for (const [index, need] of mine.entries())
    if (need !== other[index]) return (other[index] ?? 0) - need;
  return byName(left, right);
}

const names = new Intl.Collator('en', { numeric: true });

function byName(left: Series, right: Series): number {
  return names.compare(left.symbol, right.symbol) || names.compare(left.market, right.market);
}
