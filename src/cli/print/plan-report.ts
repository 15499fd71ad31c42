import { statfsSync } from 'node:fs';
import { type Asking, type Estimate, estimate } from '../../app/plan/estimate.ts';
import { planSources, type SourcePlan, type Unreachable } from '../../app/plan/plan-sources.ts';
import { planSeries, type SeriesPlan } from '../../app/plan/plan-series.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { DayWork } from '../../domain/plan/plan.ts';
import { type SourceChoice, sourceFolder } from '../../domain/plan/source-choice.ts';
import type { App } from '../compose.ts';
import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
} from './progress-text.ts';
import { dayRanges } from '../input/source-option.ts';
import { renderTable } from './table.ts';

/** Measured with one worker process on two cores, weight lifted; the weight limit is mostly what counts. */
const REST_ROWS_PER_SECOND = 25_000;

/** From a file's bytes to proven rows, on two cores. */
const ARCHIVE_ROWS_PER_SECOND = 200_000;

/** What stays free for the store's own work: partitions are rewritten beside the old ones. */
const DISK_RESERVE = 1.2;

/** Weight a minute that the exchange allowed when this was written, for when it can't be asked. */
const USUAL_LIMIT: Readonly<Record<Market, number>> = {
  binance_spot: 6_000,
  binance_um: 2_400,
  binance_cm: 2_400,
};

export interface CostedPlan extends SeriesPlan, SourcePlan, Estimate {
  readonly source: SourceChoice;
  /** undefined when nobody says what files there are; 0 where they lie on this machine. */
  readonly downloadBytes: number | undefined;
}

interface Wanted {
  readonly range: TimeRange;
  readonly choice: SourceChoice;
}

export async function planAll(
  app: App,
  series: readonly Series[],
  wanted: Wanted,
  asking: Asking,
): Promise<CostedPlan[]> {
  return Promise.all(series.map((one) => planOne(app, one, wanted, asking)));
}

async function planOne(
  app: App,
  series: Series,
  { range, choice }: Wanted,
  asking: Asking,
): Promise<CostedPlan> {
  const days: DayWork[] = [];
  const plan = await planSeries(app, series, range, { onDay: (day) => days.push(day) });
  const { source, clock } = app;
  const historyMs = source.historyMs(series.market);
  const folder = sourceFolder(choice);
  const archive = folder === undefined ? app.archive : app.folder(folder);
  const policy = { source: choice, historyMs, nowMs: clock.nowMs() };
  const split = await planSources(archive, { series, days, policy }, asking.signal);
  const costs = await estimate(app, { plan, sources: split, range, choice }, asking);
  const downloadBytes = folder === undefined ? split.fileBytes : 0;
  return { ...plan, ...split, ...costs, source: choice, downloadBytes };
}

export interface PlanTotals {
  readonly rows: number;
  readonly requests: number;
  readonly weight: number;
  readonly bytes: number;
  readonly redisBytes: number;
  readonly downloadBytes: number;
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
    redisBytes: sum((plan) => plan.redisBytes),
    downloadBytes: sum((plan) => plan.downloadBytes ?? 0),
    dueHours: sum((plan) => plan.dueHours),
  };
  const archiveRows = sum((plan) => plan.archiveRows);
  const market = plans[0]?.market ?? 'binance_spot';
  const { weightLimit, windowMs } = await app.governor.state(market);
  const limit = weightLimit > 0 ? weightLimit / windowMs : USUAL_LIMIT[market] / MINUTE_MS;
  const byWeightMs = totals.weight / (limit * app.config.weightShare);
  const byRowsMs = ((totals.rows - archiveRows) / REST_ROWS_PER_SECOND) * 1000;
  const archiveMs = (archiveRows / ARCHIVE_ROWS_PER_SECOND) * 1000;
  return { ...totals, durationMs: Math.max(byWeightMs, byRowsMs) + archiveMs };
}

/** Fits into 80 columns. */
export function describePlan(plans: readonly CostedPlan[], totals: PlanTotals): string {
  const table = renderTable(plans.map(planRow));
  return [table, ...conclusion(plans, totals), ...plans.flatMap(remarks)].join('\n');
}

function planRow(plan: CostedPlan): Record<string, string> {
  return {
    symbol: plan.symbol,
    due: formatInteger(plan.dueHours),
    'by file': formatInteger(plan.archiveHours),
    files: formatInteger(plan.files),
    [sourceFolder(plan.source) === undefined ? 'download' : 'to read']:
      plan.fileBytes === undefined ? '?' : formatBytes(plan.fileBytes),
    'by REST': formatInteger(plan.restHours),
    requests: isUntold(plan) && plan.restHours > 0 ? '?' : short(plan.requests),
    rows: rowsText(plan),
  };
}

function rowsText({ rows, rowsFrom }: Estimate): string {
  if (rowsFrom === 'unknown') return '?';
  return rowsFrom === 'ids' ? short(rows) : `~${formatCount(rows)}`;
}

function short(value: number): string {
  return value < 10_000_000 ? formatInteger(value) : formatCount(value);
}

/** Whether nobody could tell how many rows are due. */
function isUntold({ rowsFrom, dueHours }: CostedPlan): boolean {
  return rowsFrom === 'unknown' && dueHours > 0;
}

function conclusion(plans: readonly CostedPlan[], totals: PlanTotals): string[] {
  if (totals.dueHours === 0) return ['nothing to fetch'];
  const untold = plans.filter(isUntold).map(({ symbol }) => symbol);
  if (untold.length === plans.length)
    return ['how many rows are due, and so time and disk, nobody could tell'];
  const others =
    untold.length === 0 ? '' : `without ${untold.join(' ')}, which nobody could tell: `;
  const isSure = plans.every(({ rowsFrom }) => rowsFrom === 'ids');
  const rows = `${isSure ? '' : 'about '}${counted(totals.rows, 'row')}`;
  const isLocal = plans.every(({ source }) => sourceFolder(source) !== undefined);
  const requests = `, ${counted(totals.requests, 'request')} of ${formatInteger(totals.weight)} weight`;
  const download = `${formatBytes(totals.downloadBytes)} to download, `;
  return [
    `${others}about ${formatDuration(totals.durationMs)}: ${rows}${isLocal ? '' : requests}`,
    `${isLocal ? '' : download}${formatBytes(totals.bytes)} on disk, at most ${formatBytes(totals.redisBytes)} in Redis`,
  ];
}

function remarks({
  symbol,
  unreachable,
  fileBytes,
  unlisted,
  unasked,
  rowsFrom,
}: CostedPlan): string[] {
  const asIfAll = 'reckoned as if all were there';
  const files =
    fileBytes === undefined
      ? [
          unlisted === undefined
            ? `${symbol}: the exchange does not say what files there are; ${asIfAll}`
            : `${symbol}: nobody could be asked what files there are, ${asIfAll}: ${unlisted}`,
        ]
      : [];
  const ids =
    unasked === undefined
      ? []
      : [
          `${symbol}: the exchange could not be asked for its ids, ${ROWS_BY[rowsFrom]}: ${unasked}`,
        ];
  return [...files, ...ids, ...unreachable.map((none) => unreachableText(symbol, none))];
}

const ROWS_BY: Readonly<Record<Estimate['rowsFrom'], string>> = {
  ids: 'none of them being due',
  sizes: 'rows are judged by the sizes of files',
  ledger: 'rows are judged by the hours that are stored',
  unknown: 'rows are unknown',
};

/** Days beyond this many are not named one by one. */
const MOST_CHARS = 200;

function unreachableText(symbol: string, { gapClass, hours, days }: Unreachable): string {
  const named = dayRanges(days);
  const when = named.length <= MOST_CHARS ? named : counted(days.length, 'day');
  const some = `${symbol}: ${counted(hours, 'hour')} of ${when}`;
  return gapClass === 'pending_archive'
    ? `${some} must wait for the exchange’s file, which is not there yet`
    : `${some} can’t be had: no file has them, and REST does not reach or may not be asked`;
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
