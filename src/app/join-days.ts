import { joinAcross } from '../domain/border.ts';
import { DAY_MS, floorTo, spanOfHours } from '../domain/hour.ts';
import type { SliceRecord } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { Clock } from '../ports/clock.ts';
import type { Lease, Leases } from '../ports/lease.ts';
import type { Ledger } from '../ports/ledger.ts';
import { hourLease } from './ingest-slice.ts';
import { OWNED_WRITE_MS } from './owned-write.ts';

const LEASE_POLL_MS = 250;

interface JoinDeps {
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly clock: Clock;
}

/**
 * Lets the hours on both sides of a midnight know each other's nearest trade, where only files tell of
 * it. Called after a day's rows are on record: of two days that are taken at once, the later one joins.
 * @returns days of which an hour has changed
 * @throws CdvaultError LEASE_LOST, and the store's own
 */
export async function joinDays(
  deps: JoinDeps,
  series: Series,
  borderMs: number,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const range = { startMs: borderMs - DAY_MS, endMs: borderMs + DAY_MS };
  const find = async () => joinAcross(await deps.ledger.records(series, range), borderMs);
  const wanted = await find();
  if (wanted.length === 0) return [];
  const leases: Lease[] = [];
  try {
    for (const { hourMs } of wanted) leases.push(await acquire(deps, series, hourMs, signal));
    const held = new Set(wanted.map(({ hourMs }) => hourMs));
    // Whoever had the hours before may have changed them.
    const changed = (await find()).filter(({ hourMs }) => held.has(hourMs));
    await write(deps, series, changed, leases);
    return [...new Set(changed.map(({ hourMs }) => floorTo(hourMs, DAY_MS)))];
  } finally {
    await Promise.all(leases.map((lease) => lease.release()));
  }
}

async function write(
  { ledger, clock }: JoinDeps,
  series: Series,
  records: readonly SliceRecord[],
  leases: readonly Lease[],
): Promise<void> {
  if (records.length === 0) return;
  const range = spanOfHours(records.map(({ hourMs }) => hourMs));
  const gaps = Map.groupBy(await ledger.openGaps(series, range), ({ hourMs }) => hourMs);
  await Promise.all(leases.map((lease) => lease.assertHeld(OWNED_WRITE_MS)));
  const entries = records.map((record) => ({ record, gaps: gaps.get(record.hourMs) ?? [] }));
  await ledger.write(entries, clock.nowMs());
}

async function acquire(
  { leases, clock }: JoinDeps,
  series: Series,
  hourMs: number,
  signal: AbortSignal,
): Promise<Lease> {
  for (;;) {
    const lease = await leases.tryAcquire(hourLease(series, hourMs), signal);
    if (lease !== undefined) return lease;
    await clock.sleep(LEASE_POLL_MS, signal);
  }
}
