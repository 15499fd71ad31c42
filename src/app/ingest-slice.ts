import type { RunFacts } from '../domain/continuity.ts';
import { formatDecimal, QTY_SCALE } from '../domain/decimal.ts';
import { CdvaultError } from '../domain/errors.ts';
import { compactHour, HOUR_MS, isoHour, lastClosedHourEnd } from '../domain/hour.ts';
import { type SliceRecord, verdictOf } from '../domain/ledger.ts';
import { type Series, seriesKey } from '../domain/market.ts';
import type { Lease, Leases } from '../ports/lease.ts';
import type { JobPayloads } from '../ports/job-queue.ts';
import type { Gap, Ledger } from '../ports/ledger.ts';
import { edgesOf, type HourRecord, purgedHour } from './end-of-symbol.ts';
import { type FetchDeps, type FetchedHour, fetchHour } from './fetch-hour.ts';
import { oddJumps } from './odd-jumps.ts';
import { proveStored } from './prove-stored.ts';

/** The ledger row must be acknowledged well within what is left of the lease. */
const LEDGER_WRITE_MS = 10_000;

export interface IngestDeps extends FetchDeps {
  readonly leases: Leases;
  readonly codeVersion: string;
}

export type IngestOutcome =
  | { readonly kind: 'already_proven' }
  /** Another worker is at it. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'recorded'; readonly record: SliceRecord; readonly gaps: readonly Gap[] };

/**
 * Fetches one UTC hour of a series and proves it: asks the ledger first, fetches what the store
 * lacks, reads back what it stored, and writes one ledger row while it holds the hour's lease.
 * May be killed anywhere and run any number of times: what is stored is taken up, not fetched again,
 * unless it is what a repair doubts (`refetch`).
 * @param onRows told of rows as they reach the store, for people who watch
 * @throws CdvaultError HOUR_NOT_CLOSED, LEASE_LOST, READ_BACK_MISMATCH, and the source's and store's own
 */
export async function ingestSlice(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): Promise<IngestOutcome> {
  if (await isDone(deps.ledger, slice)) return { kind: 'already_proven' };
  if (slice.hourMs + HOUR_MS > lastClosedHourEnd(deps.clock.nowMs())) {
    throw new CdvaultError(
      'HOUR_NOT_CLOSED',
      `${slice.symbol} ${isoHour(slice.hourMs)} has not closed yet`,
    );
  }
  const lease = await deps.leases.tryAcquire(
    `slice-${seriesKey(slice)}-${compactHour(slice.hourMs)}`,
  );
  if (lease === undefined) return { kind: 'busy' };
  try {
    // The one who held the lease before may just have finished.
    if (await isDone(deps.ledger, slice)) return { kind: 'already_proven' };
    return await ingestHeld(deps, slice, lease, AbortSignal.any([signal, lease.signal]), onRows);
  } finally {
    await lease.release();
  }
}

/** A refetch is done when it was done by the very run that asks for it. */
async function isDone(ledger: Ledger, slice: JobPayloads['slice']): Promise<boolean> {
  const record = await ledger.record(slice, slice.hourMs);
  if (record === undefined || verdictOf(record) !== 'proven') return false;
  return slice.refetch !== true || record.runId === slice.runId;
}

async function ingestHeld(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  lease: Lease,
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<IngestOutcome> {
  const { record: found, gaps } = await judgeHour(deps, slice, signal, onRows);
  const record = { ...found, runId: slice.runId, codeVersion: deps.codeVersion };

  await lease.assertHeld(LEDGER_WRITE_MS);
  signal.throwIfAborted();
  // Before the row that says so, lest hours behind an end stay proven when this is killed.
  if (hasTrade(record)) await deps.ledger.reopenBefore(record, record.hourMs);
  await deps.ledger.write(record, gaps, deps.clock.nowMs());
  return { kind: 'recorded', record, gaps };
}

interface JudgedHour {
  readonly record: HourRecord;
  readonly gaps: readonly Gap[];
}

async function judgeHour(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<JudgedHour> {
  const { hourMs } = slice;
  try {
    return await fetchAndProve(deps, slice, signal, onRows);
  } catch (error) {
    if (!(error instanceof CdvaultError) || error.code !== 'UNKNOWN_SYMBOL') throw error;
    const record = await purgedHour(deps, slice, hourMs, signal);
    if (record === undefined) throw error;
    const range = { startMs: hourMs, endMs: hourMs + HOUR_MS };
    return { record, gaps: await deps.ledger.openGaps(slice, range) };
  }
}

async function fetchAndProve(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<JudgedHour> {
  const series: Series = { market: slice.market, symbol: slice.symbol };
  const { hourMs } = slice;
  const hour = await fetchHour(deps, series, hourMs, slice.refetch === true, signal, onRows);
  const buried = await proveStored(deps, series, hourMs, hour.facts, hour.keys, signal);
  const edges = await edgesOf(deps, series, hourMs, hour.facts, signal);
  return {
    record: { ...recordOf(series, hourMs, hour), ...edges, fetchedAtMs: deps.clock.nowMs() },
    gaps: [
      ...hour.gaps,
      ...buried,
      ...anomalies(hourMs, hour.facts),
      ...oddJumps(hourMs, hour.facts),
    ],
  };
}

function hasTrade({ rows, next }: SliceRecord): boolean {
  return rows > 0 || next !== undefined;
}

function anomalies(hourMs: number, facts: RunFacts): Gap[] {
  const fromId = facts.first?.id ?? 0;
  const toId = (facts.last?.id ?? -1) + 1;
  const found: Gap[] = [];
  if (facts.invalidRows > 0) {
    const evidence = `${facts.invalidRows} rows that the exchange has marked invalid`;
    found.push({ hourMs, gapClass: 'invalid_rows', fromId, toId, evidence });
  }
  if (facts.backwardRows > 0) {
    const evidence = `${facts.backwardRows} rows are older than the row before them`;
    found.push({ hourMs, gapClass: 'time_backwards', fromId, toId, evidence });
  }
  return found;
}

function recordOf(series: Series, hourMs: number, { facts, contentHash }: FetchedHour) {
  const { rows, first, last, next, invalidRows, backwardRows, buyE8, sellE8 } = facts;
  return {
    ...series,
    hourMs,
    rows,
    first,
    last,
    next,
    invalidRows,
    backwardRows,
    buyQty: formatDecimal(buyE8, QTY_SCALE),
    sellQty: formatDecimal(sellE8, QTY_SCALE),
    contentHash,
    source: 'rest' as const,
  };
}
