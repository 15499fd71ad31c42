import type { RunFacts } from '../../domain/proof/hour-run.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Slice } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease } from '../../ports/lease.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { edgesOf, type HourRecord } from './end-of-symbol.ts';
import type { FetchedHour } from './fetch-hour.ts';
import { oddJumps } from './odd-jumps.ts';
import { OWNED_WRITE_MS } from '../leases.ts';
import { proveStored } from './prove-stored.ts';

interface ProveDeps {
  readonly source: TradeSource;
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is to be recorded for an hour. */
export interface CheckedHour {
  readonly record: HourRecord;
  readonly gaps: readonly Gap[];
}

/** Proves that an hour is stored as it was fetched, and returns what to write to the ledger. */
export async function proveHour(
  deps: ProveDeps,
  slice: Slice,
  hour: FetchedHour,
  signal: AbortSignal,
): Promise<CheckedHour> {
  const buried = await proveStored(deps, slice, hour, signal);
  const edges = await edgesOf(deps, slice, hour.facts, signal);
  const fetched = { ...hour, ...edges, gaps: [...hour.gaps, ...buried], source: 'rest' as const };
  return checkedHour(slice, fetched, deps.clock.nowMs());
}

/** What to write to the ledger for an hour that is known to be stored. */
export function checkedHour(
  { market, symbol, hourMs }: Slice,
  hour: Omit<FetchedHour, 'keys'> & Pick<SliceRecord, 'source' | 'prev' | 'endedAtMs'>,
  nowMs: number,
): CheckedHour {
  const { facts, contentHash, source, prev, endedAtMs } = hour;
  const { rows, first, last, next, invalidRows, backwardRows, reachBack, buyE8, sellE8 } = facts;
  return {
    record: {
      market,
      symbol,
      hourMs,
      rows,
      first,
      last,
      next,
      prev,
      endedAtMs,
      invalidRows,
      backwardRows,
      reachBack,
      buyQty: formatDecimal(buyE8, QTY_SCALE),
      sellQty: formatDecimal(sellE8, QTY_SCALE),
      contentHash,
      source,
      fetchedAtMs: nowMs,
    },
    gaps: [...hour.gaps, ...anomalies(hourMs, facts), ...oddJumps(market, hourMs, facts)],
  };
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

type RecordDeps = Pick<ProveDeps, 'ledger' | 'clock'> & { readonly codeVersion: string };

/** Writes the ledger row of an hour whose lease is held. @throws CdvaultError LEASE_LOST */
export async function recordHour(
  deps: RecordDeps,
  hour: CheckedHour,
  { runId, lease }: { readonly runId: string; readonly lease: Lease },
  signal: AbortSignal,
): Promise<SliceRecord> {
  await recordHours(deps, [hour], { runId, leases: [lease] }, signal);
  return signed(deps, hour, runId);
}

/** The same for hours of one series, in one flush. */
export async function recordHours(
  deps: RecordDeps,
  hours: readonly CheckedHour[],
  { runId, leases }: { readonly runId: string; readonly leases: readonly Lease[] },
  signal: AbortSignal,
): Promise<void> {
  const assertHeld = async () => {
    await Promise.all(leases.map((lease) => lease.assertHeld(OWNED_WRITE_MS)));
    signal.throwIfAborted();
  };
  await assertHeld();
  // Before the ledger rows: if this is killed in between, no hour may stay proven by an end that is void.
  const traded = hours.findLast(({ record }) => record.rows > 0 || record.next !== undefined);
  if (traded !== undefined) await deps.ledger.reopenBefore(traded.record, traded.record.hourMs);
  const entries = hours.map((hour) => ({ record: signed(deps, hour, runId), gaps: hour.gaps }));
  await deps.ledger.write(entries, deps.clock.nowMs(), assertHeld);
  // A lease that was lost meanwhile: its new owner decides what the hours are.
  signal.throwIfAborted();
}

function signed({ codeVersion }: RecordDeps, { record }: CheckedHour, runId: string): SliceRecord {
  return { ...record, runId, codeVersion };
}
