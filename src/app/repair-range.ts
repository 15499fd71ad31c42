import { dayInputs, inputRange } from '../domain/day.ts';
import { type Cure, cureOf, type DayReport, type Finding } from '../domain/finding.ts';
import { DAY_MS, floorTo, HOUR_MS } from '../domain/hour.ts';
import type { Series } from '../domain/market.ts';
import { isWithinRest } from '../domain/plan.ts';
import type { BarStore, RestatementRow } from '../ports/bar-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { TradeSource } from '../ports/trade-source.ts';

interface RepairDeps {
  readonly ledger: Ledger;
  readonly bars: BarStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly source: Pick<TradeSource, 'historyMs'>;
}

/** What a repair queued for one day. */
export interface DayRepair {
  readonly dayMs: number;
  /** Hours to fetch because they are not proven. */
  readonly fetched: readonly number[];
  /** Hours to fetch again because what is stored is not what was proven. */
  readonly refetched: readonly number[];
  readonly rebuilt: boolean;
}

/**
 * Queues exactly what one day needs, if anything: hours that are not proven, hours whose stored rows
 * are in doubt, bars that are not what the trades give.
 * @returns undefined when the day needs nothing
 */
export async function repairDay(
  deps: RepairDeps,
  runId: string,
  series: Series,
  report: DayReport,
): Promise<DayRepair | undefined> {
  const { dayMs, findings, bars } = report;
  const of = (cure: Cure) => findings.filter((finding) => cureOf(finding) === cure);
  const reloaded = of('reload').length > 0 ? await hoursFromFile(deps, series, dayMs) : [];
  const refetched = [...new Set([...hoursOfFindings(of('refetch')), ...reloaded])];
  const unproven = report.unproven.map(({ hourMs }) => hourMs);
  const fetched = [...new Set([...unproven, ...hoursOfFindings(of('fetch'))])].filter(
    (hourMs) => !refetched.includes(hourMs),
  );
  const wrongBars = of('rebuild');
  const hours = [...fetched, ...refetched].toSorted((left, right) => left - right);
  if (wrongBars.length > 0) await makeDue(deps, series, dayMs, wrongBars);
  const isDue = hours.length > 0 || wrongBars.length > 0 || bars.state === 'due';
  if (isDue) {
    const roads = { historyMs: deps.source.historyMs(series.market), nowMs: deps.clock.nowMs() };
    const needsFile = reloaded.length > 0 || hours.some((hourMs) => !isWithinRest(hourMs, roads));
    const day = { dayMs, hours, refetch: new Set(refetched) };
    const fromArchive = needsFile ? { fromArchive: 'auto' as const } : {};
    await deps.queue.addDays(runId, series, [{ ...day, ...fromArchive }], 'live');
  }
  if (of('chain').length > 0) await deps.queue.addChain(series);
  return isDue || of('chain').length > 0
    ? { dayMs, fetched, refetched, rebuilt: wrongBars.length > 0 || bars.state === 'due' }
    : undefined;
}

async function hoursFromFile(
  { ledger }: RepairDeps,
  series: Series,
  dayMs: number,
): Promise<readonly number[]> {
  const records = await ledger.records(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  return records.filter(({ source }) => source === 'archive').map(({ hourMs }) => hourMs);
}

function hoursOfFindings(findings: readonly Finding[]): number[] {
  return [...new Set(findings.map(({ atMs }) => floorTo(atMs, HOUR_MS)))];
}

/** Bars are due by comparison, so the day is made to differ; that its levels were wrong is logged. */
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
    reason: `repair: ${wrong.length} stored bars were not what the trades give; first: ${wrong[0]?.detail ?? ''}`,
    seenAtMs: nowMs,
  };
  await bars.restate(series, [row]);
  await bars.stamp(series, { ...day, inputs: '' }, nowMs);
}

/** Whether everything that was queued for some days has run, levels included. */
export async function isRepaired(
  queue: JobQueue,
  runId: string,
  series: Series,
  days: readonly number[],
): Promise<boolean> {
  const states = await queue.dayStates(runId, series, days);
  return !states.includes('pending') && !(await queue.chainPending(series));
}
