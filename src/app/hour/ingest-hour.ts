import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, isoHour, lastClosedHourEnd } from '../../domain/time/hour.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import type { Slice } from '../../domain/market.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import type { Leases } from '../../ports/lease.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import { hourLease } from '../leases.ts';
import { purgedHour } from './end-of-symbol.ts';
import { type FetchDeps, fetchHour } from './fetch-hour.ts';
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
 * Fetches one UTC hour of a series and proves it: asks the ledger first, fetches the rows that are not
 * stored, reads back what it stored, and writes one ledger row while it holds the hour's lease. It may be
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
  if (await isDone(deps.ledger, slice)) return { kind: 'already_proven' };
  if (slice.hourMs + HOUR_MS > lastClosedHourEnd(deps.clock.nowMs())) {
    throw new CdvaultError(
      'HOUR_NOT_CLOSED',
      `${slice.symbol} ${isoHour(slice.hourMs)} has not closed yet`,
    );
  }
  assertServed(deps, slice, slice.hourMs);
  const lease = await deps.leases.tryAcquire(hourLease(slice), signal);
  if (lease === undefined) return { kind: 'busy' };
  try {
    // The previous owner of the lease may just have finished the hour.
    if (await isDone(deps.ledger, slice)) return { kind: 'already_proven' };
    const held = AbortSignal.any([signal, lease.signal]);
    const checked = await checkHour(deps, slice, held, onRows);
    const record = await recordHour(deps, checked, { runId: slice.runId, lease }, held);
    return { kind: 'recorded', record, gaps: checked.gaps };
  } finally {
    await lease.release();
  }
}

/** A refetch is done only when the same run has recorded the hour. */
async function isDone(ledger: Ledger, slice: JobPayloads['slice']): Promise<boolean> {
  const record = await ledger.record(slice, slice.hourMs);
  if (record === undefined || verdictOf(record) !== 'proven') return false;
  return slice.refetch !== true || record.runId === slice.runId;
}

async function checkHour(
  deps: IngestDeps,
  slice: JobPayloads['slice'],
  signal: AbortSignal,
  onRows: (rows: number) => void,
): Promise<CheckedHour> {
  const { market, symbol, hourMs } = slice;
  const hour: Slice = { market, symbol, hourMs };
  try {
    const fetched = await fetchHour(
      deps,
      hour,
      { refetch: slice.refetch === true, onRows },
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
