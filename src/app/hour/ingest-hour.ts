import { CdvaultError } from '../../domain/errors.ts';
import { compactHour, HOUR_MS, isoHour, lastClosedHourEnd } from '../../domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import { purgedHour } from '../border/end-of-symbol.ts';
import { type FetchDeps, fetchHour } from './fetch-hour.ts';
import { type JudgedHour, proveHour, recordHour } from './prove-hour.ts';
import { assertServed } from './rest-history.ts';

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
 * @throws CdvaultError HOUR_NOT_CLOSED, RETENTION, LEASE_LOST, READ_BACK_MISMATCH, and the source's and store's own
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
  assertServed(deps, slice, slice.hourMs);
  const lease = await deps.leases.tryAcquire(hourLease(slice, slice.hourMs), signal);
  if (lease === undefined) return { kind: 'busy' };
  try {
    // The one who held the lease before may just have finished.
    if (await isDone(deps.ledger, slice)) return { kind: 'already_proven' };
    return await ingestHeld(deps, slice, lease, AbortSignal.any([signal, lease.signal]), onRows);
  } finally {
    await lease.release();
  }
}

/** Whoever writes rows of an hour, from whatever source, owns it. */
export function hourLease(series: Series, hourMs: number): string {
  return `slice-${seriesKey(series)}-${compactHour(hourMs)}`;
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
  const judged = await judgeHour(deps, slice, signal, onRows);
  const record = await recordHour(deps, judged, slice.runId, lease, signal);
  return { kind: 'recorded', record, gaps: judged.gaps };
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
  return proveHour(deps, series, hourMs, hour, signal);
}
