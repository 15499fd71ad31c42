import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { isFilesOnly, type SourceChoice } from '../../domain/plan/source-choice.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { SourcePlan } from './plan-sources.ts';
import type { SeriesPlan } from './plan-series.ts';
import { isSilence, silenceText } from '../witness.ts';

/** Measured on the real day (BTCUSDT 2024-01-01), as written; compact makes it 5. */
export const STORED_BYTES_PER_ROW = 57;
/** Bars of one symbol and day at every interval: those of a busy symbol; with few trades 0.7 MB. */
export const BAR_BYTES_PER_DAY = 950_000;

/** The real day: 863,403 rows in a zip file of 11.9 MB. */
const ZIPPED_BYTES_PER_ROW = 14;

/** One job in Redis including its queue entry, measured. */
const JOB_BYTES = 1_600;

/**
 * Extra requests: for days in a row from files, one at each end; for an hour by REST, one for its start and
 * one page more than its rows fill.
 */
const QUESTIONS = 2;

/** The cost of the due hours. */
export interface Estimate {
  readonly rows: number;
  /**
   * Where `rows` comes from. `ids`: counted by the exchange's ids. `sizes`: estimated from file sizes.
   * `ledger`: estimated from the stored hours. `unknown`: none of these is available, and everything that
   * depends on rows is 0.
   */
  readonly rowsFrom: 'ids' | 'sizes' | 'ledger' | 'unknown';
  readonly archiveRows: number;
  readonly requests: number;
  readonly weight: number;
  /** On disk, in the store. */
  readonly bytes: number;
  readonly redisBytes: number;
  /** Why the exchange could not be asked for its ids, if they were needed. */
  readonly unasked: string | undefined;
}

/** How an estimate may ask the exchange. */
export interface Asking {
  readonly signal: AbortSignal;
  /** If set, a failure of the exchange is reported in the estimate instead of thrown. */
  readonly isRough: boolean;
  /** Why the exchange does not answer, if known beforehand: it is then not asked again. */
  readonly silence?: string | undefined;
}

interface EstimateDeps {
  readonly source: TradeSource;
  readonly ledger: Pick<Ledger, 'totals'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

interface WorkToEstimate {
  readonly plan: SeriesPlan;
  readonly sources: SourcePlan;
  readonly range: TimeRange;
  readonly choice: SourceChoice;
}

/**
 * Counts rows by ids where REST serves the range's ends; otherwise estimates them from file sizes, or
 * else from the stored hours of the series.
 */
export async function estimate(
  deps: EstimateDeps,
  { plan, sources, range, choice }: WorkToEstimate,
  asking: Asking,
): Promise<Estimate> {
  const { source } = deps;
  const { archiveHours, restHours, stretches } = sources;
  const reachable = archiveHours + restHours;
  const asksIds =
    reachable > 0 && !isFilesOnly(choice) && source.historyMs(plan.market) === Infinity;
  const counted = asksIds ? await idsOf(source, plan, range, asking) : {};
  const { archiveRows, restRows, rowsFrom } = await rowsOf(deps, plan, sources, counted.rows);
  const edges = isFilesOnly(choice) ? 0 : QUESTIONS * stretches;
  const requests =
    restHours === 0 ? edges : Math.ceil(restRows / source.pageRows) + QUESTIONS * restHours + edges;
  const rows = archiveRows + restRows;
  return {
    rows,
    rowsFrom,
    archiveRows,
    requests,
    weight: requests * source.pageWeight(plan.market),
    bytes: rows * STORED_BYTES_PER_ROW + Math.ceil(reachable / 24) * BAR_BYTES_PER_DAY,
    redisBytes: sources.jobs * JOB_BYTES,
    unasked: counted.reason,
  };
}

/** @param rangeRows rows of the whole range, if known */
async function rowsOf(
  deps: EstimateDeps,
  plan: SeriesPlan,
  { archiveHours, restHours, dayBytes }: SourcePlan,
  rangeRows: number | undefined,
): Promise<Pick<Estimate, 'archiveRows' | 'rowsFrom'> & { readonly restRows: number }> {
  const spread = (rows: number, hours: number) => ({
    archiveRows: share(rows, archiveHours, hours),
    restRows: share(rows, restHours, hours),
  });
  if (archiveHours + restHours === 0) return { archiveRows: 0, restRows: 0, rowsFrom: 'ids' };
  if (rangeRows !== undefined) return { ...spread(rangeRows, plan.wantedHours), rowsFrom: 'ids' };
  const bySize = Math.round(dayBytes / ZIPPED_BYTES_PER_ROW);
  // Futures have at most two days by REST alone; these are assumed to have as many trades an hour as the files.
  if (bySize > 0) return { ...spread(bySize, archiveHours), rowsFrom: 'sizes' };
  const known = await deps.ledger.totals(plan, { startMs: 0, endMs: deps.clock.nowMs() });
  const knownHours = known.proven + known.open + known.gap;
  if (knownHours === 0) return { archiveRows: 0, restRows: 0, rowsFrom: 'unknown' };
  return { ...spread(known.rows, knownHours), rowsFrom: 'ledger' };
}

async function idsOf(
  source: TradeSource,
  series: Series,
  range: TimeRange,
  { signal, isRough, silence }: Asking,
): Promise<{ readonly rows?: number; readonly reason?: string }> {
  if (silence !== undefined) return { reason: silence };
  try {
    return { rows: await rowsByIds(source, series, range, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (isRough && isSilence(error)) return { reason: silenceText(error) };
    throw error;
  }
}

function share(rows: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((rows * part) / whole);
}

/**
 * Two small requests find the ids at both ends of the range: their distance is the exact number of
 * rows of the whole range.
 */
async function rowsByIds(
  source: TradeSource,
  series: Series,
  range: TimeRange,
  signal: AbortSignal,
): Promise<number> {
  const first = await firstTrade(source, series, range, signal);
  if (first === undefined) return 0;
  const next = await source.firstAtOrAfter(series, range.endMs, 'ms', signal);
  const endId = next?.aggId ?? ((await source.newest(series, signal))?.aggId ?? first.aggId) + 1;
  return Math.max(0, endId - first.aggId);
}

/** @returns undefined also when the exchange no longer knows a symbol that the ledger has */
async function firstTrade(
  source: TradeSource,
  series: Series,
  { startMs }: TimeRange,
  signal: AbortSignal,
): Promise<AggTrade | undefined> {
  try {
    return await source.firstAtOrAfter(series, startMs, 'ms', signal);
  } catch (error) {
    if (error instanceof CdvaultError && error.code === 'UNKNOWN_SYMBOL') return undefined;
    throw error;
  }
}
