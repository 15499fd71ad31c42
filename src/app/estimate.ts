import type { AggTrade } from '../domain/agg-trade.ts';
import { CdvaultError } from '../domain/errors.ts';
import type { TimeRange } from '../domain/hour.ts';
import type { Series } from '../domain/market.ts';
import { isFilesOnly, type SourceChoice } from '../domain/source-choice.ts';
import type { TradeSource } from '../ports/trade-source.ts';
import type { RoadPlan } from './plan-roads.ts';
import type { SeriesPlan } from './plan-series.ts';

/** Measured on the real day with its bars: trades 58 bytes in the store, 65 with bars and ledger. */
const STORED_BYTES_PER_ROW = 65;

/** The real day: 863,403 rows in a zip file of 11.9 MB. */
const ZIPPED_BYTES_PER_ROW = 14;

/** One job in Redis, measured, with its place in the queue. */
const JOB_BYTES = 1_600;

/** A day's file is asked about at both of its ends; an hour by REST at its start, and once more than its pages. */
const QUESTIONS = 2;

/** What the due hours will cost. */
export interface Estimate {
  readonly rows: number;
  /** `ids`: counted by the exchange's ids; `sizes`: judged by the sizes of files; `unknown`: neither was to be had. */
  readonly rowsFrom: 'ids' | 'sizes' | 'unknown';
  readonly archiveRows: number;
  readonly requests: number;
  readonly weight: number;
  /** On disk, in the store. */
  readonly bytes: number;
  readonly redisBytes: number;
}

/** Counts by ids where REST knows the range's ends, else judges by the sizes of the files. */
export async function estimate(
  source: TradeSource,
  plan: SeriesPlan,
  roads: RoadPlan,
  range: TimeRange,
  choice: SourceChoice,
  signal: AbortSignal,
): Promise<Estimate> {
  const { archiveHours, restHours, archiveDays } = roads;
  const reachable = archiveHours + restHours;
  const asksIds =
    reachable > 0 && !isFilesOnly(choice) && source.historyMs(plan.market) === Infinity;
  const rangeRows = asksIds ? await rowsByIds(source, plan, range, signal) : undefined;
  const bySize = Math.round(roads.dayBytes / ZIPPED_BYTES_PER_ROW);
  const archiveRows =
    rangeRows === undefined ? bySize : share(rangeRows, archiveHours, plan.wantedHours);
  // By REST alone futures have two days: as many trades an hour as in the files.
  const restRows =
    rangeRows === undefined
      ? share(bySize, restHours, archiveHours)
      : share(rangeRows, restHours, plan.wantedHours);
  const edges = isFilesOnly(choice) ? 0 : QUESTIONS * archiveDays;
  const requests =
    restHours === 0 ? edges : Math.ceil(restRows / source.pageRows) + QUESTIONS * restHours + edges;
  const rows = archiveRows + restRows;
  return {
    rows,
    rowsFrom: rangeRows !== undefined || reachable === 0 ? 'ids' : bySize > 0 ? 'sizes' : 'unknown',
    archiveRows,
    requests,
    weight: requests * source.pageWeight(plan.market),
    bytes: rows * STORED_BYTES_PER_ROW,
    redisBytes: roads.jobs * JOB_BYTES,
  };
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
  const behind = await source.firstAtOrAfter(series, range.endMs, 'ms', signal);
  const endId = behind?.aggId ?? ((await source.newest(series, signal))?.aggId ?? first.aggId) + 1;
  return Math.max(0, endId - first.aggId);
}

/** undefined also where the exchange has forgotten a symbol that the ledger knows. */
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
