import { ERRORS } from '../../domain/error-catalogue.ts';
import { EXIT, type ExitCode } from '../../domain/exit-codes.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SourceChoice } from '../../domain/plan/source-choice.ts';
import type { FailedJob, JobQueue } from '../../ports/job-queue.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Tracing } from '../../ports/tracing.ts';
import { awaitedHours } from '../day/awaited-hours.ts';
import { assertServed, type HistoryDeps } from '../hour/rest-history.ts';
import { changeSeries } from '../leases.ts';
import { areBarsBehind, areLevelsBehind, dueDays, type PlanDeps } from './plan-series.ts';
import type { CoverageTotals, Ledger, SeriesCatalogue } from '../../ports/ledger.ts';

const FAILURES_SHOWN = 20;

interface RunDeps {
  readonly queue: JobQueue;
  readonly ledger: Ledger;
  readonly catalogue: SeriesCatalogue;
  readonly leases: Leases;
  readonly clock: Clock;
}

/**
 * Checks a run that fetches all hours by REST.
 * @throws CdvaultError RETENTION when the range's earliest due hour is no longer served
 */
export async function assertDueServed(
  deps: HistoryDeps & Pick<PlanDeps, 'ledger' | 'bars'>,
  series: Series,
  range: TimeRange,
): Promise<void> {
  if (deps.source.historyMs(series.market) === Infinity) return;
  for await (const { hours } of dueDays(deps, series, range)) {
    const [first] = hours;
    if (first === undefined) continue;
    assertServed(deps, series, first);
    return;
  }
}

interface RunRequest {
  readonly runId: string;
  readonly series: readonly Series[];
  readonly range: TimeRange;
  readonly source?: SourceChoice;
}

/**
 * Pins the origin of continuous CDV, and the name of the table of trades with it. Called before the first
 * trade is fetched, so that the origin does not depend on which day is stored first.
 * @param fromMs start of the requested range
 */
export async function pinSeries(
  deps: Pick<RunDeps, 'catalogue' | 'leases' | 'clock'>,
  series: Series,
  fromMs: number,
  signal: AbortSignal,
): Promise<void> {
  const originMs = floorTo(fromMs, DAY_MS);
  await changeSeries(deps, series, () => deps.catalogue.pinOrigin(series, originMs), signal);
}

/** Enqueues a run. */
export async function enqueueRun(
  deps: RunDeps & { readonly tracing: Tracing },
  { runId, series, range, source = 'auto' }: RunRequest,
  signal: AbortSignal,
): Promise<void> {
  const attributes = { 'cdvault.run_id': runId, 'cdvault.source': source };
  await deps.tracing.run({ name: 'backfill', runId, attributes }, async () => {
    await deps.queue.openRun(runId, series);
    for (const one of series) {
      await pinSeries(deps, one, range.startMs, signal);
      await deps.queue.addFeed(runId, one, range, source);
    }
  });
}

export interface ScheduleWish extends Series {
  /** undefined: the schedule of the series ends. */
  readonly fromMs: number | undefined;
  /** Quote asset of the rule that wants it; undefined: somebody has named the series. */
  readonly by?: string;
}

/** Sets or ends the schedule of a series; pins its origin if it has none. */
export async function changeSchedule(
  deps: Pick<RunDeps, 'catalogue' | 'leases' | 'clock'>,
  { fromMs, by, market, symbol }: ScheduleWish,
  signal: AbortSignal,
): Promise<void> {
  const series = { market, symbol };
  await changeSeries(
    deps,
    series,
    async () => {
      const known = await deps.catalogue.find(series);
      if (known === undefined && fromMs === undefined) return;
      const facts = known ?? (await deps.catalogue.pinOrigin(series, floorTo(fromMs ?? 0, DAY_MS)));
      await deps.catalogue.setSchedule(facts, fromMs, by);
    },
    signal,
  );
}

/** Whether every feed of a run has ended and the continuous levels that depend on it are computed. */
export async function isRunOver(
  { queue }: RunDeps,
  runId: string,
  series: readonly Series[],
): Promise<boolean> {
  for (const one of series) {
    if ((await queue.feedState(runId, one)) === 'pending') return false;
    if (await queue.chainPending(one)) return false;
  }
  return true;
}

export interface RunResult extends CoverageTotals {
  readonly wantedHours: number;
  /** Hours without a ledger row that wait for a file or that no source has. */
  readonly awaited: number;
  /** The other hours without a ledger row. */
  readonly unknown: number;
  readonly failures: readonly FailedJob[];
  /** Whether bars or levels are older than these hours. */
  readonly barsDue: boolean;
  readonly exitCode: ExitCode;
}

/** The result for a range, from the ledger alone; the queue only says why something is missing. */
export async function concludeRun(
  deps: PlanDeps & Pick<RunDeps, 'queue'>,
  runId: string,
  series: readonly Series[],
  range: TimeRange,
): Promise<RunResult> {
  const each = await Promise.all(series.map((one) => deps.ledger.totals(one, range)));
  const total = (of: (totals: CoverageTotals) => number) =>
    each.reduce((sum, totals) => sum + of(totals), 0);
  const totals = {
    proven: total((t) => t.proven),
    open: total((t) => t.open),
    gap: total((t) => t.gap),
    rows: total((t) => t.rows),
  };
  const wantedHours = ((range.endMs - range.startMs) / HOUR_MS) * series.length;
  const unknown = wantedHours - totals.proven - totals.open - totals.gap;
  const awaited = await Promise.all(series.map((one) => awaitedHours(deps, one, range)));
  const awaitedCount = awaited.flat().reduce((sum, { hours }) => sum + hours, 0);
  const failures = await deps.queue.failures(runId, FAILURES_SHOWN);
  const behind = await Promise.all(series.map((one) => isBehind(deps, one, range)));
  const barsDue = behind.includes(true);
  const isUndone = unknown > awaitedCount || barsDue;
  const exitCode = isUndone
    ? exitCodeOfUndone(failures)
    : totals.gap + totals.open + awaitedCount > 0
      ? EXIT.gaps
      : EXIT.ok;
  return {
    ...totals,
    wantedHours,
    unknown: unknown - awaitedCount,
    awaited: awaitedCount,
    failures,
    barsDue,
    exitCode,
  };
}

/** Levels for which a chain job is queued are not reported: another run has changed them. */
async function isBehind(
  deps: PlanDeps & Pick<RunDeps, 'queue'>,
  series: Series,
  range: TimeRange,
): Promise<boolean> {
  if (await areBarsBehind(deps, series, range)) return true;
  if (!(await areLevelsBehind(deps, series, range))) return false;
  // The chain job may have ended between the two queries.
  return !(await deps.queue.chainPending(series)) && areLevelsBehind(deps, series, range);
}

/** EXIT.outage only when all failures are outages. */
function exitCodeOfUndone(failures: readonly FailedJob[]): ExitCode {
  const isOutage =
    failures.length > 0 && failures.every(({ code }) => ERRORS[code].exitCode === EXIT.outage);
  return isOutage ? EXIT.outage : EXIT.slicesFailed;
}
