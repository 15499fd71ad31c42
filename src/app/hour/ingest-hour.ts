import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, isoHour, lastClosedHourEnd } from '../../domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Slice } from '../../domain/market.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Gap } from '../../ports/ledger.ts';
import { hourLease } from '../leases.ts';
import { purgedHour } from './end-of-symbol.ts';
import { type FetchDeps, fetchHour, type HourToFetch } from './fetch-hour.ts';
import { type CheckedHour, proveHour, recordHour } from './prove-hour.ts';
import { assertServed } from './rest-history.ts';

export interface IngestDeps extends FetchDeps {
  readonly leases: Leases;
  readonly codeVersion: string;
}

export type IngestOutcome =
  | { readonly kind: 'already_proven' }
  /** Another worker holds the lease of the hour. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'recorded'; readonly record: SliceRecord; readonly gaps: readonly Gap[] };

/**
 * Fetches one UTC hour of a series and proves it: takes the hour's lease, asks the ledger, fetches the rows that are not
 * stored, reads back what it stored, and writes one ledger row while it still holds the lease. It may be
 * killed at any point and run any number of times: stored rows are not fetched again, except for a
 * repair that doubts them (`refetch`).
 * @param onRows called with the number of rows written, for progress reporting
 * @throws CdvaultError HOUR_NOT_CLOSED, RETENTION, LEASE_LOST, READ_BACK_MISMATCH, and the source's and store's own
 */
export async function ingestHour(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  signal: AbortSignal,
  onRows: (rows: number) => void = () => undefined,
): Promise<IngestOutcome> {
  if (slice.hourMs + HOUR_MS > lastClosedHourEnd(deps.clock.nowMs())) {
    throw new CdvaultError(
      'HOUR_NOT_CLOSED',
      `${slice.symbol} ${isoHour(slice.hourMs)} has not closed yet`,
    );
  }
  const lease = await deps.leases.tryAcquire(hourLease(slice), signal);
  if (lease === undefined) return { kind: 'busy' };
  try {
    const { market, symbol, hourMs } = slice;
    const around = { startMs: hourMs - HOUR_MS, endMs: hourMs + HOUR_MS };
    const records = await deps.ledger.records({ market, symbol }, around);
    const own = records.find((record) => record.hourMs === hourMs);
    if (isDone(own, slice)) return { kind: 'already_proven' };
    assertServed(deps, slice, hourMs);
    const held = AbortSignal.any([signal, lease.signal]);
    const before = records.find((record) => record.hourMs === hourMs - HOUR_MS);
    const checked = await checkHour(deps, { slice, before, onRows }, held);
    const record = await recordHour(deps, checked, { runId: slice.runId, lease }, held);
    return { kind: 'recorded', record, gaps: checked.gaps };
  } finally {
    await lease.release();
  }
}

/** A refetch is done only when the same run has recorded the hour. */
function isDone(record: SliceRecord | undefined, slice: JobPayloads['slice']): boolean {
  if (record === undefined || verdictOf(record) !== 'proven') return false;
  return slice.refetch !== true || record.runId === slice.runId;
}

async function checkHour(
  deps: IngestDeps,
  {
    slice,
    before,
    onRows,
  }: { readonly slice: JobPayloads['slice'] } & Pick<HourToFetch, 'before' | 'onRows'>,
  signal: AbortSignal,
): Promise<CheckedHour> {
  const { market, symbol, hourMs } = slice;
  const hour: Slice = { market, symbol, hourMs };
  try {
    const fetched = await fetchHour(
      deps,
      hour,
      { before, refetch: slice.refetch === true, onRows },
      signal,
    );
    return await proveHour(deps, hour, fetched, signal);
  } catch (error) {
    if (!(error instanceof CdvaultError) || error.code !== 'UNKNOWN_SYMBOL') throw error;
    const record = await purgedHour(deps, hour, signal);
    if (record === undefined) throw error;
    const range = { startMs: hourMs, endMs: hourMs + HOUR_MS };
    return { record, gaps: await deps.ledger.openGaps(slice, range) };
  }
}
