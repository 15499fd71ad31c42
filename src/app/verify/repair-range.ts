import { dayInputs, inputRange } from '../../domain/bars/day.ts';
import {
  type RepairAction,
  repairActionOf,
  type DayReport,
  type Finding,
} from '../../domain/proof/finding.ts';
import { compactDay, DAY_MS, floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { isWithinRest } from '../../domain/plan/plan.ts';
import { isFilesOnly, type SourceChoice } from '../../domain/plan/source-choice.ts';
import type { BarStore, RestatementRow } from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobQueue } from '../../ports/job-queue.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Prunings } from '../../ports/prunings.ts';
import type { TradeSource } from '../../ports/trade-source.ts';

interface RepairDeps {
  readonly ledger: Ledger;
  readonly bars: BarStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly source: Pick<TradeSource, 'historyMs'>;
}

/** The repair of one day. */
export interface DayRepair {
  readonly dayMs: number;
  /** Hours to fetch because they are not proven. */
  readonly fetched: readonly number[];
  /** Hours to fetch again because the stored rows are not those that were proven. */
  readonly refetched: readonly number[];
  /** Whether the day's file is to be loaded again. */
  readonly reloaded: boolean;
  readonly rebuilt: boolean;
  readonly chained: boolean;
}

/**
 * The repair that one day needs, if any: hours that are not proven, hours whose stored rows are in doubt,
 * bars that differ from the trades.
 * @param tried hours that this repair has already requested: their sources have nothing more to offer
 * @returns undefined when nothing is left to do
 */
export async function repairOf(
  deps: Pick<RepairDeps, 'ledger'>,
  series: Series,
  report: DayReport,
  tried: ReadonlySet<number>,
): Promise<DayRepair | undefined> {
  const { dayMs, findings, bars, pruned } = report;
  // Without its trades, the bars of a pruned day can't be built again; repair --pruned fetches them first.
  const of = (action: RepairAction) =>
    findings.filter(
      (finding) => repairActionOf(finding) === action && (!pruned || action === 'chain'),
    );
  const fromFile = of('reload').length > 0 ? await hoursFromFile(deps, series, dayMs) : [];
  const isFresh = (hourMs: number) => !tried.has(hourMs);
  const refetched = [...new Set([...hoursOfFindings(of('refetch')), ...fromFile])].filter(isFresh);
  const unproven = report.unproven.map(({ hourMs }) => hourMs);
  const fetched = [...new Set([...unproven, ...hoursOfFindings(of('fetch'))])].filter(
    (hourMs) => isFresh(hourMs) && !refetched.includes(hourMs),
  );
  const reloaded = fromFile.some(isFresh);
  const rebuilt = of('rebuild').length > 0 || (bars.state === 'due' && !pruned);
  const chained = of('chain').length > 0;
  if (fetched.length + refetched.length === 0 && !rebuilt && !chained) return undefined;
  return { dayMs, fetched, refetched, reloaded, rebuilt, chained };
}

/** Which sources are asked for the hours of a day. */
export function asks(
  deps: Pick<RepairDeps, 'source' | 'clock'>,
  series: Series,
  { fetched, refetched, reloaded }: DayRepair,
  choice: SourceChoice,
): { readonly files: boolean; readonly rest: boolean } {
  const hours = [...fetched, ...refetched];
  if (hours.length === 0) return { files: false, rest: false };
  if (isFilesOnly(choice)) return { files: true, rest: false };
  if (choice === 'rest') return { files: false, rest: true };
  const policy = { historyMs: deps.source.historyMs(series.market), nowMs: deps.clock.nowMs() };
  const isInReach = (hourMs: number) => isWithinRest(hourMs, policy);
  return { files: reloaded || !hours.every(isInReach), rest: hours.some(isInReach) };
}

interface RepairRun {
  readonly runId: string;
  readonly series: Series;
  readonly choice: SourceChoice;
}

/** Enqueues the repair of one day. */
export async function queueRepair(
  deps: RepairDeps,
  { runId, series, choice }: RepairRun,
  repair: DayRepair,
  { findings }: Pick<DayReport, 'findings'>,
): Promise<void> {
  const { dayMs, fetched, refetched, rebuilt, chained } = repair;
  const hours = [...fetched, ...refetched].toSorted((left, right) => left - right);
  const wrongBars = findings.filter((finding) => repairActionOf(finding) === 'rebuild');
  if (wrongBars.length > 0) await makeDue(deps, series, dayMs, wrongBars);
  if (hours.length > 0 || rebuilt) {
    const day = { dayMs, hours, refetch: new Set(refetched) };
    const byFile = asks(deps, series, repair, choice).files ? { fromArchive: choice } : {};
    // No other job loads the neighbouring days.
    const edges = isFilesOnly(choice) ? { edges: ['before', 'after'] as const } : {};
    await deps.queue.addDays(runId, series, [{ ...day, ...byFile, ...edges }], 'live');
  }
  if (chained) await deps.queue.addChain(series);
}

async function hoursFromFile(
  { ledger }: Pick<RepairDeps, 'ledger'>,
  series: Series,
  dayMs: number,
): Promise<readonly number[]> {
  const records = await ledger.records(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  return records.filter(({ source }) => source === 'archive').map(({ hourMs }) => hourMs);
}

function hoursOfFindings(findings: readonly Finding[]): number[] {
  return [...new Set(findings.map(({ atMs }) => floorTo(atMs, HOUR_MS)))];
}

/**
 * Makes the bars of a day due: they are due by comparison, so the stamp is changed to differ. That the
 * levels were wrong is recorded as a restatement.
 */
async function makeDue(
  { ledger, bars, clock }: RepairDeps,
  series: Series,
  dayMs: number,
  wrong: readonly Finding[],
): Promise<void> {
  const day = dayInputs(dayMs, await ledger.records(series, inputRange(dayMs)));
  if (day === undefined) return;
  const nowMs = clock.nowMs();
  const row: RestatementRow = {
    hourMs: Math.min(...wrong.map(({ atMs }) => floorTo(atMs, HOUR_MS))),
    what: 'bars',
    oldLevel: undefined,
    newLevel: undefined,
    reason: `repair: ${wrong.length} stored bars differed from the trades; first: ${wrong[0]?.detail ?? ''}`,
    seenAtMs: nowMs,
  };
  await bars.restate(series, [row]);
  await bars.stamp([{ series, day: { ...day, inputs: '' } }], nowMs);
}

/** Whether everything that was queued for some days has run, levels included. */
export async function isRepaired(
  queue: JobQueue,
  runId: string,
  series: Series,
  days: readonly number[],
): Promise<boolean> {
  const states = await queue.stretchStates(runId, series, days.map(compactDay));
  return !states.includes('pending') && !(await queue.chainPending(series));
}

/**
 * Of days whose trades were pruned, and that were fetched again, those whose trades are whole again: they are no
 * longer recorded as pruned.
 */
export async function endPruning(
  { prunings, clock }: { readonly prunings: Prunings; readonly clock: Pick<Clock, 'nowMs'> },
  { market, symbol }: Series,
  report: DayReport,
): Promise<boolean> {
  const { dayMs, findings, unproven } = report;
  const isAsked = (finding: Finding) => !['rebuild', 'chain'].includes(repairActionOf(finding));
  if (unproven.length > 0 || findings.some(isAsked)) return false;
  const series = { market, symbol };
  const days = await prunings.days(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  await prunings.fetchedAgain(series, days, clock.nowMs());
  return days.length > 0;
}
