import { type DayHour, dayInputs } from '../../domain/bars/day.ts';
import type { Series } from '../../domain/market.ts';
import { type SliceRecord, verdictOf } from '../../domain/proof/ledger.ts';
import { daysOf, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { BarStore } from '../../ports/bar-store.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Partition } from '../../ports/partitions.ts';
import type { StoredRun, TradeStore } from '../../ports/trade-store.ts';
import { areBarsBehind } from '../plan/plan-series.ts';
import type { Reason } from './convert-partitions.ts';

/** The stored trades of a partition by the hour of their time. */
export type StoredHours = ReadonlyMap<number, StoredRun>;

export interface SettledDeps {
  readonly trades: Pick<TradeStore, 'readBackHours'>;
  readonly ledger: Ledger;
  readonly bars: BarStore;
}

/** Ledger rows of a partition's hours, and of the hour after it if rows of its run lie in the partition. */
export async function recordsOf(
  { ledger }: Pick<SettledDeps, 'ledger'>,
  series: Series,
  { startMs, endMs }: TimeRange,
): Promise<readonly SliceRecord[]> {
  const records = await ledger.records(series, { startMs, endMs: endMs + HOUR_MS });
  return records.filter(({ hourMs, reachBack }) => hourMs < endMs || reachBack.rows > 0);
}

export async function storedHours(
  { trades }: Pick<SettledDeps, 'trades'>,
  series: Series,
  { startMs, endMs }: TimeRange,
): Promise<StoredHours> {
  return trades.readBackHours(series, { startUs: startMs * 1000, endUs: endMs * 1000 });
}

/**
 * Whether a partition will probably not change any more, and its trades are those that the ledger counts.
 * @param records as recordsOf() returns them
 * @param beforeMs an hour that was fetched later is recent
 * @returns its trades, or why it is not settled
 */
export async function settledTrades(
  deps: SettledDeps,
  series: Series,
  { partition, records, beforeMs }: PartitionToSettle,
): Promise<StoredHours | Reason> {
  if (partition.isNewest) return 'newest';
  if (records.some(({ fetchedAtMs }) => fetchedAtMs > beforeMs)) return 'recent';
  if (records.some((record) => verdictOf(record) === 'open')) return 'unproven';
  if (await areBarsBehind(deps, series, partition)) return 'bars_due';
  const stored = await storedHours(deps, series, partition);
  const known = new Set(records.map(({ hourMs }) => hourMs));
  if ([...stored.keys()].some((hourMs) => !known.has(hourMs))) return 'unproven';
  return isAsRecorded(partition, records, stored) ? stored : 'differs';
}

interface PartitionToSettle {
  readonly partition: Partition;
  readonly records: readonly SliceRecord[];
  readonly beforeMs: number;
}

function isAsRecorded(
  partition: TimeRange,
  records: readonly SliceRecord[],
  stored: StoredHours,
): boolean {
  const byHour = new Map(records.map((record) => [record.hourMs, record]));
  const hours = [...daysOf(partition)].flatMap((dayMs) => dayInputs(dayMs, records)?.hours ?? []);
  const counted = new Set(hours.filter(({ rows }) => rows > 0).map(({ hourMs }) => hourMs));
  return (
    [...stored.keys()].every((hourMs) => counted.has(hourMs)) &&
    hours.every((hour) => isHourStored(hour, byHour.get(hour.hourMs), stored.get(hour.hourMs)))
  );
}

/** Whether the stored trades of an hour, by their time, have the ids, counts and sums of the ledger. */
export function isHourStored(
  { rows, buyE8, sellE8, isReached }: DayHour,
  record: SliceRecord | undefined,
  run: StoredRun | undefined,
): boolean {
  if (run === undefined) return rows === 0;
  const areIdsSame =
    isReached || (run.firstId === record?.first?.id && run.lastId === record?.last?.id);
  return (
    areIdsSame &&
    run.rows === rows &&
    run.doubleRows === 0 &&
    parseDecimal(run.buyQty, QTY_SCALE) === buyE8 &&
    parseDecimal(run.sellQty, QTY_SCALE) === sellE8
  );
}
