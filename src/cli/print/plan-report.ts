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
import { renderTable } from './table.ts';
import {
  counted,
  dayRanges,
  formatBytes,
  formatCount,
  formatDuration,
  formatInteger,
} from './format.ts';

/** Measured with one worker process on two cores, without a weight limit, which is usually lower. */
const REST_ROWS_PER_SECOND = 25_000;

/** From the bytes of a file to proven rows, measured on two cores. */
const ARCHIVE_ROWS_PER_SECOND = 200_000;

/** What a day from a file, or an hour by REST, takes whatever its rows; measured on two cores at 200 series. */
const ARCHIVE_DAY_MS = 110;
const REST_HOUR_MS = 110;

/** Factor for the store's own work: partitions are rewritten next to the old ones. */
const DISK_RESERVE = 1.2;

/** Weight per minute that the exchange allowed when this was written; used when it cannot be asked. */
const USUAL_LIMIT: Readonly<Record<Market, number>> = {
  binance_spot: 6_000,
  binance_um: 2_400,
  binance_cm: 2_400,
};

export interface CostedPlan extends SeriesPlan, SourcePlan, Estimate {
  readonly source: SourceChoice;
  /** undefined when the files cannot be listed; 0 when they are on this machine. */
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
  const byRowsMs =
    ((totals.rows - archiveRows) / REST_ROWS_PER_SECOND) * 1000 +
    sum((plan) => plan.restHours) * REST_HOUR_MS;
  const archiveMs =
    (archiveRows / ARCHIVE_ROWS_PER_SECOND) * 1000 +
    sum((plan) => plan.archiveDays) * ARCHIVE_DAY_MS;
  return { ...totals, durationMs: Math.max(byWeightMs, byRowsMs) + archiveMs };
}

/** The table, the totals and remarks. The table fits 80 columns. */
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
    requests: isUnknown(plan) && plan.restHours > 0 ? '?' : short(plan.requests),
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

/** Whether the number of due rows cannot be estimated. */
function isUnknown({ rowsFrom, dueHours }: CostedPlan): boolean {
  return rowsFrom === 'unknown' && dueHours > 0;
}

function conclusion(plans: readonly CostedPlan[], totals: PlanTotals): string[] {
  if (totals.dueHours === 0) return ['nothing to fetch'];
  const unknown = plans.filter(isUnknown).map(({ symbol }) => symbol);
  if (unknown.length === plans.length)
    return ['rows, time and disk are unknown: there is nothing to estimate them from'];
  const others = unknown.length === 0 ? '' : `without ${unknown.join(' ')} (rows unknown): `;
  const isSure = plans.every(({ rowsFrom }) => rowsFrom === 'ids');
  const rows = `${isSure ? '' : 'about '}${counted(totals.rows, 'row')}`;
  const isLocal = plans.every(({ source }) => sourceFolder(source) !== undefined);
  const requests = `, ${counted(totals.requests, 'request')}, weight ${formatInteger(totals.weight)}`;
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
  const asIfAll = 'assuming that all exist';
  const files =
    fileBytes === undefined
      ? [
          unlisted === undefined
            ? `${symbol}: the exchange does not list its archive files, ${asIfAll}`
            : `${symbol}: archive files could not be listed, ${asIfAll}: ${unlisted}`,
        ]
      : [];
  const ids =
    unasked === undefined
      ? []
      : [
          `${symbol}: the exchange could not be asked for trade ids, ${ROWS_BY[rowsFrom]}: ${unasked}`,
        ];
  return [...files, ...ids, ...unreachable.map((none) => unreachableText(symbol, none))];
}

const ROWS_BY: Readonly<Record<Estimate['rowsFrom'], string>> = {
  ids: 'no rows are due',
  sizes: 'rows are estimated from file sizes',
  ledger: 'rows are estimated from the stored hours',
  unknown: 'rows are unknown',
};

/** The longest list of days that is printed; a longer one becomes a count. */
const MOST_CHARS = 200;

function unreachableText(symbol: string, { gapClass, hours, days }: Unreachable): string {
  const named = dayRanges(days);
  const when = named.length <= MOST_CHARS ? named : counted(days.length, 'day');
  const some = `${symbol}: ${counted(hours, 'hour')} of ${when}`;
  return gapClass === 'pending_archive'
    ? `${some} wait for the archive file, which is not published yet`
    : `${some} not available: no file has them, and REST does not serve them or is excluded`;
}

/**
 * Checks the free space, if the store's files are on this machine.
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
    `the plan stores about ${formatBytes(bytes)}, but ${storeDir} has ${formatBytes(freeBytes)} free`,
  );
}
