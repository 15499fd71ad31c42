import { statfsSync } from 'node:fs';
import type { Estimate, SeriesPlan } from '../app/plan-series.ts';
import { estimate, planSeries } from '../app/plan-series.ts';
import { CdvaultError } from '../domain/errors.ts';
import type { TimeRange } from '../domain/hour.ts';
import { marketName, type Series } from '../domain/market.ts';
import type { App } from './compose.ts';
import { formatBytes, formatDuration, formatInteger } from './progress-text.ts';
import { renderTable } from './table.ts';

/** Measured with one worker process on two cores, weight lifted; the weight limit is mostly what counts. */
const ROWS_PER_SECOND = 25_000;

/** What stays free for the store's own work: partitions are rewritten beside the old ones. */
const DISK_RESERVE = 1.2;

export interface CostedPlan extends SeriesPlan, Estimate {}

export async function planAll(
  app: App,
  series: readonly Series[],
  range: TimeRange,
  signal: AbortSignal,
): Promise<CostedPlan[]> {
  const plans: CostedPlan[] = [];
  for (const one of series) {
    const plan = await planSeries(app, one, range);
    plans.push({ ...plan, ...(await estimate(app.source, plan, range, signal)) });
  }
  return plans;
}

export interface PlanTotals extends Estimate {
  readonly dueHours: number;
  readonly durationMs: number;
}

export async function totalsOf(app: App, plans: readonly CostedPlan[]): Promise<PlanTotals> {
  const sum = (of: (plan: CostedPlan) => number) =>
    plans.reduce((total, plan) => total + of(plan), 0);
  const totals = {
    rows: sum((plan) => plan.rows),
    requests: sum((plan) => plan.requests),
    weight: sum((plan) => plan.weight),
    bytes: sum((plan) => plan.bytes),
    dueHours: sum((plan) => plan.dueHours),
  };
  const market = plans[0]?.market ?? 'binance_spot';
  const { weightLimit, windowMs } = await app.governor.state(market);
  const budget = weightLimit * app.config.weightShare;
  const byWeightMs = budget > 0 ? (totals.weight / budget) * windowMs : 0;
  return { ...totals, durationMs: Math.max(byWeightMs, (totals.rows / ROWS_PER_SECOND) * 1000) };
}

export function describePlan(plans: readonly CostedPlan[], totals: PlanTotals): string {
  const table = renderTable(
    plans.map((plan) => ({
      symbol: plan.symbol,
      market: marketName(plan.market),
      hours: formatInteger(plan.wantedHours),
      due: formatInteger(plan.dueHours),
      rows: formatInteger(plan.rows),
      requests: formatInteger(plan.requests),
      weight: formatInteger(plan.weight),
      disk: formatBytes(plan.bytes),
    })),
  );
  const last =
    totals.dueHours === 0
      ? 'nothing to fetch'
      : `about ${formatDuration(totals.durationMs)}: ${formatInteger(totals.rows)} rows in ${formatInteger(totals.requests)} requests of weight 4, ${formatBytes(totals.bytes)} on disk`;
  return `${table}\n${last}`;
}

/**
 * Only where the store's files lie on this machine can the free space be seen.
 * @throws CdvaultError DISK_TOO_SMALL
 */
export function assertDisk(bytes: number, { storeDir }: Pick<App, 'storeDir'>): void {
  if (storeDir === undefined) return;
  const { bavail, bsize } = statfsSync(storeDir);
  assertFits(bytes, bavail * bsize, storeDir);
}

export function assertFits(bytes: number, freeBytes: number, storeDir: string): void {
  if (bytes * DISK_RESERVE <= freeBytes) return;
  throw new CdvaultError(
    'DISK_TOO_SMALL',
    `the plan stores about ${formatBytes(bytes)}, and ${storeDir} has ${formatBytes(freeBytes)} free`,
  );
}
