import { type AggTrade, nativeTimeUnit } from '../../domain/trade/agg-trade.ts';
import { type ContentHasher, contentHasher } from '../../domain/trade/content-hash.ts';
import type { HourDistiller } from '../../domain/bars/distiller.ts';
import { createHourRun } from '../../domain/proof/continuity.ts';
import { needsLookahead } from '../../domain/proof/foreign-rows.ts';
import { HOUR_MS, hourWindowUs, isoHour } from '../../domain/time/hour.ts';
import {
  type HourRun,
  NO_TRADES,
  type RunFacts,
  type RunKeys,
} from '../../domain/proof/hour-run.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import { firstAggId, type Series, type Slice } from '../../domain/market.ts';
import { withoutRepeats } from '../../domain/proof/repeats.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { type DistilDeps, Distillery } from './distillery.ts';
import { holeGap, repeatGap } from './page-gaps.ts';
import { isLeftByRest, StoredRows } from './stored-rows.ts';

/**
 * Rows per write to the store. Large enough that a commit with fsync costs little (measured throughput
 * compared with nosync: 0.8 at 20,000 rows a request, 0.5 at 2,000); small, because a killed worker loses
 * up to this many rows.
 */
export const BATCH_ROWS = 10_000;

/** Attempts before a discontinuity is accepted. */
const PAGE_TRIES = 3;
const PAGE_RETRY_MS = 1_000;

/** Rows needed to check the date of the trade before an hour when it lies far before the hour's first trade. */
const ROWS_BEFORE = 100;

export interface FetchDeps extends DistilDeps {
  readonly source: TradeSource;
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly files: Pick<ArchiveFiles, 'records'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The result of fetching an hour; its rows are stored. */
export interface FetchedHour {
  readonly facts: RunFacts;
  readonly contentHash: string;
  readonly keys: RunKeys;
  /** Missing and repeated ids, and stored rows that differed. */
  readonly gaps: readonly Gap[];
}

export interface HourToFetch {
  /** The ledger row of the hour before. */
  readonly before: SliceRecord | undefined;
  /** Whether the stored rows are in doubt: all rows are requested again and compared. */
  readonly refetch: boolean;
  /** Called with the number of rows written. */
  readonly onRows: (rows: number) => void;
}

/**
 * Fetches one hour of a series by id and stores the rows that are missing from the store.
 * @throws CdvaultError the source's and the store's own
 */
export async function fetchHour(
  deps: FetchDeps,
  slice: Slice,
  { before, refetch, onRows }: HourToFetch,
  signal: AbortSignal,
): Promise<FetchedHour> {
  const { market, symbol, hourMs } = slice;
  const series: Series = { market, symbol };
  const hasStored = (await deps.trades.readBack(series, hourWindowUs(hourMs))).rows > 0;
  const stored = hasStored ? new StoredRows(deps.trades, series, hourMs) : undefined;
  // Nearly every hour has nothing stored; then isLeftByRest() is not needed.
  const isDoubted = refetch || (hasStored && !(await isLeftByRest(deps, slice)));
  const distillery = await Distillery.open(deps, series);
  const fetch: Fetch = {
    deps,
    series,
    hourMs,
    unit: nativeTimeUnit(series.market, hourMs),
    signal,
    hasher: contentHasher(),
    distiller: distillery.start(hourMs),
    keys: { ids: [], timesUs: [] },
    gaps: [],
    before,
    stored,
    takesUp: isDoubted ? undefined : stored,
    onRows,
  };
  const started = await startRun(fetch);
  if (started !== undefined) await fetchRun(fetch, started);
  const facts = started?.run.facts ?? NO_TRADES;
  const { prev } = facts;
  const contentHash = fetch.hasher.digest();
  distillery.keep(hourMs, contentHash, fetch.distiller);
  return {
    facts,
    contentHash,
    keys: fetch.keys,
    // Ids missing before `prev`, the trade before the hour, belong to an earlier hour.
    gaps: fetch.gaps.filter(({ fromId }) => prev === undefined || fromId > prev.id),
  };
}

interface Fetch {
  readonly deps: FetchDeps;
  readonly series: Series;
  readonly hourMs: number;
  readonly unit: 'ms' | 'us';
  readonly signal: AbortSignal;
  readonly hasher: ContentHasher;
  readonly distiller: HourDistiller;
  readonly keys: RunKeys;
  readonly gaps: Gap[];
  readonly before: SliceRecord | undefined;
  /** The hour's stored rows, if there are any. */
  readonly stored: StoredRows | undefined;
  /** The same if they can be trusted, so that they need not be fetched again. */
  readonly takesUp: StoredRows | undefined;
  readonly onRows: (rows: number) => void;
}

interface StartedRun {
  readonly run: HourRun;
  /** Rows of the run that were fetched on the way to its start. */
  readonly kept: readonly AggTrade[];
}

/**
 * Finds the start of the hour's ids. The hour before may have proven it. Otherwise one small request
 * finds the first trade at or after the hour's start, and reading starts one id earlier, so that the same
 * page has the trade before it.
 * @returns undefined when no trade has happened since the hour began
 */
async function startRun(fetch: Fetch): Promise<StartedRun | undefined> {
  const { deps, series, hourMs, unit, before } = fetch;
  const sameUnit = nativeTimeUnit(series.market, hourMs - HOUR_MS) === unit;
  if (
    before !== undefined &&
    sameUnit &&
    before.next !== undefined &&
    verdictOf(before) === 'proven'
  ) {
    const prev = before.last ?? before.prev;
    const run = createHourRun(
      { hourMs },
      { expectedId: before.next.id, ...(prev === undefined ? {} : { prev }) },
    );
    await takeUpStored(fetch, run);
    return { run, kept: [] };
  }
  const start = await findStart(fetch, fetch.takesUp === undefined ? deps.source.pageRows : 1);
  if (start === undefined) return undefined;
  const run = createHourRun({ hourMs }, { expectedId: start.fromId });
  const kept = acceptPage(fetch, run, start.page);
  await takeUpStored(fetch, run);
  return { run, kept };
}

/**
 * Checks the exchange's answer about the first trade of an hour: if the trade before it also lies in the
 * hour, the run would start too late. In that case the question is repeated, and then the start is found
 * by going back through the ids, because a search by time can fail permanently where times run backwards.
 */
async function findStart(
  fetch: Fetch,
  rows: number,
): Promise<{ readonly fromId: number; readonly page: readonly AggTrade[] } | undefined> {
  const { deps, series, hourMs, unit, signal } = fetch;
  const lowestId = firstAggId(series.market);
  let fromId = lowestId;
  let firstUs: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    if (attempt <= PAGE_TRIES) {
      const first = await deps.source.firstAtOrAfter(series, hourMs, unit, signal);
      if (first === undefined) return undefined;
      firstUs = first.timeUs;
      fromId = Math.max(lowestId, first.aggId - 1);
    } else fromId = Math.max(lowestId, fromId - deps.source.pageRows);
    const page = await askUntilWhole(fetch, fromId, rows);
    const [head] = page;
    const isHead = fromId > lowestId && head?.aggId === fromId;
    if (!isHead || head.timeUs < hourWindowUs(hourMs).startUs) {
      // A long silence before the hour, or a wrong date: the trades before that one decide.
      const isFar = isHead && firstUs !== undefined && needsLookahead(firstUs, head.timeUs);
      return isFar ? widened(fetch, fromId, rows) : { fromId, page };
    }
    deps.log.warn(
      { symbol: series.symbol, hour: isoHour(hourMs), fromId, attempt },
      'the exchange did not return the first trade of the hour; searching again',
    );
    if (attempt < PAGE_TRIES) await deps.clock.sleep(PAGE_RETRY_MS, signal);
  }
}

async function widened(
  fetch: Fetch,
  headId: number,
  rows: number,
): Promise<{ readonly fromId: number; readonly page: readonly AggTrade[] }> {
  const fromId = Math.max(firstAggId(fetch.series.market), headId - ROWS_BEFORE);
  return { fromId, page: await askUntilWhole(fetch, fromId, Math.max(rows, ROWS_BEFORE + 1)) };
}

/** Takes rows that an earlier, interrupted fetch has stored, as far as they continue without a hole. */
async function takeUpStored(fetch: Fetch, run: HourRun): Promise<void> {
  if (!run.done) await fetch.takesUp?.takeUp(run, (taken) => note(fetch, taken));
}

async function fetchRun(fetch: Fetch, { run, kept }: StartedRun): Promise<void> {
  let batch: AggTrade[] = [];
  async function flush(): Promise<void> {
    if (batch.length === 0) return;
    await fetch.deps.trades.write(fetch.series, batch, fetch.signal);
    fetch.onRows(batch.length);
    batch = [];
  }
  async function store(rows: readonly AggTrade[]): Promise<void> {
    for (const trade of await notYetStored(fetch, rows)) batch.push(trade);
    if (batch.length >= BATCH_ROWS) await flush();
  }
  await store(kept);
  const { pageRows } = fetch.deps.source;
  while (!run.done) {
    const page = await askUntilWhole(fetch, run.nextId, pageRows);
    await store(acceptPage(fetch, run, page));
  }
  await flush();
}

async function notYetStored(
  { stored, gaps }: Fetch,
  rows: readonly AggTrade[],
): Promise<readonly AggTrade[]> {
  if (stored === undefined) return rows;
  const { unwritten, conflicts } = await stored.compare(rows);
  gaps.push(...conflicts);
  return unwritten;
}

function acceptPage(fetch: Fetch, run: HourRun, page: readonly AggTrade[]): readonly AggTrade[] {
  const asked = { fromId: run.nextId, times: PAGE_TRIES };
  const isFirst = run.facts.prev === undefined && run.facts.rows === 0;
  const { rows, repeats } = withoutRepeats(page);
  const { kept, holes } = run.accept(rows, rows.length > 1);
  for (const hole of holes) {
    const isHead = isFirst && hole.fromId === asked.fromId && hole.foreign === undefined;
    fetch.gaps.push(holeGap(fetch.hourMs, hole, asked, isHead ? 'retention' : 'missing_ids'));
  }
  for (const repeat of repeats) {
    // Repeats after the hour are recorded by the next hour.
    if (kept.includes(repeat.kept)) fetch.gaps.push(repeatGap(fetch.hourMs, repeat));
  }
  note(fetch, kept);
  return kept;
}

/**
 * Requests a page, and again if it has a hole or a repeated id: the exchange's database may lag for a
 * moment. After PAGE_TRIES attempts the page is accepted, and the caller records the hole.
 */
async function askUntilWhole(
  fetch: Fetch,
  fromId: number,
  rows: number,
): Promise<readonly AggTrade[]> {
  const { deps, series, unit, signal } = fetch;
  for (let attempt = 1; ; attempt += 1) {
    const page = await deps.source.page(series, { fromId, unit, rows }, signal);
    const isWhole = page.every(({ aggId }, index) => aggId === fromId + index);
    if (isWhole || attempt === PAGE_TRIES) return page;
    deps.log.warn(
      { symbol: series.symbol, fromId, rows: page.length, attempt },
      'page with a hole or a repeated id; requesting it again',
    );
    await deps.clock.sleep(PAGE_RETRY_MS, signal);
  }
}

function note(fetch: Fetch, trades: readonly AggTrade[]): void {
  for (const trade of trades) {
    fetch.hasher.update(trade);
    fetch.distiller.update(trade);
    fetch.keys.ids.push(trade.aggId);
    fetch.keys.timesUs.push(trade.timeUs);
  }
}
