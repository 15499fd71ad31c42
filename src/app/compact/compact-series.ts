import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { isoHour } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Compaction, TradePartition, TradePartitions } from '../../ports/trade-partitions.ts';
import {
  type Reason,
  recordsOf,
  type SettledDeps,
  settledTrades,
  storedHours,
  type StoredHours,
} from './settled.ts';

export interface CompactDeps extends SettledDeps {
  readonly partitions: TradePartitions;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Free disk space of the store; undefined when it is not on this machine. */
  readonly freeBytes: () => number | undefined;
}

/** What was done about a partition, given as it was before. `due`: would be converted, in a dry run. */
export type CompactStep = { readonly partition: TradePartition } & (
  | { readonly state: 'converted'; readonly bytesAfter: number }
  | { readonly state: 'due' }
  | { readonly state: 'done' }
  | { readonly state: 'skipped'; readonly why: Reason }
);

interface CompactOptions {
  readonly isDryRun: boolean;
  /** Partitions with an hour that was fetched later stay as they are. */
  readonly beforeMs: number;
}

/**
 * Stores the settled partitions of a series as Parquet, oldest first. A Parquet partition that is not
 * recorded, or into which rows were written since, is converted to native first.
 * @throws CdvaultError COMPACT_MISMATCH, DISK_TOO_SMALL
 */
export async function* compactSeries(
  deps: CompactDeps,
  series: Series,
  { isDryRun, beforeMs }: CompactOptions,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  const compactions = await deps.partitions.compactions(series);
  for (const partition of await deps.partitions.list(series)) {
    signal.throwIfAborted();
    const records = await recordsOf(deps, series, partition);
    if (isCompacted(partition, records, compactions.get(partition.startMs))) {
      yield { partition, state: 'done' };
      continue;
    }
    const settled = await settledTrades(deps, series, { partition, records, beforeMs });
    if (typeof settled === 'string') yield { partition, state: 'skipped', why: settled };
    else if (isDryRun) yield { partition, state: 'due' };
    else {
      const bytesAfter = await compact(deps, series, { partition, trades: settled }, signal);
      yield { partition, state: 'converted', bytesAfter };
    }
  }
}

/** Makes the Parquet partitions of a series native again. */
export async function* restoreSeries(
  deps: CompactDeps,
  series: Series,
  { isDryRun }: Pick<CompactOptions, 'isDryRun'>,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  for (const partition of await deps.partitions.list(series)) {
    signal.throwIfAborted();
    if (!partition.isParquet) yield { partition, state: 'done' };
    else if (isDryRun) yield { partition, state: 'due' };
    else {
      const trades = await storedHours(deps, series, partition);
      assertRoom(deps, partition);
      const { bytes } = await converted(
        deps,
        series,
        { partition, trades, how: 'toNative' },
        signal,
      );
      yield { partition, state: 'converted', bytesAfter: bytes };
    }
  }
}

function isCompacted(
  { isParquet, rows }: TradePartition,
  records: readonly SliceRecord[],
  compaction: Compaction | undefined,
): boolean {
  return (
    isParquet &&
    compaction?.bytesAfter !== undefined &&
    compaction.rows === rows &&
    records.every(({ fetchedAtMs }) => fetchedAtMs <= compaction.compactedAtMs)
  );
}

interface KnownPartition {
  readonly partition: TradePartition;
  readonly trades: StoredHours;
}

/** @returns the bytes of the partition as Parquet */
async function compact(
  deps: CompactDeps,
  series: Series,
  known: KnownPartition,
  signal: AbortSignal,
): Promise<number> {
  const { partitions, clock } = deps;
  assertRoom(deps, known.partition);
  const partition = known.partition.isParquet
    ? await converted(deps, series, { ...known, how: 'toNative' }, signal)
    : known.partition;
  const { startMs, rows, bytes: bytesBefore } = partition;
  // Rows that are written from here on are newer than the conversion.
  const begun = { startMs, rows, bytesBefore, compactedAtMs: clock.nowMs() };
  await partitions.record(series, { ...begun, bytesAfter: undefined });
  const toConvert = { ...known, partition, how: 'toParquet' } as const;
  const { bytes } = await converted(deps, series, toConvert, signal);
  await partitions.record(series, { ...begun, bytesAfter: bytes });
  return bytes;
}

/** Long enough to wait for another conversion or a migration. */
const UNDO_MS = 120_000;

/** Converts, and compares the trades that the store returns then with those of before. */
async function converted(
  deps: CompactDeps,
  series: Series,
  { partition, trades, how }: KnownPartition & { readonly how: 'toParquet' | 'toNative' },
  signal: AbortSignal,
): Promise<TradePartition> {
  const { name, rows } = partition;
  const after = await deps.partitions[how](series, name, signal);
  const differing = differingHours(trades, await storedHours(deps, series, partition));
  if (after.rows === rows && differing.length === 0) return after;
  // Also when the command is being stopped.
  if (how === 'toParquet')
    await deps.partitions.toNative(series, name, AbortSignal.timeout(UNDO_MS));
  const [first] = differing;
  const where = first === undefined ? '' : `, ${differing.length} hours from ${isoHour(first)} on`;
  throw new CdvaultError(
    'COMPACT_MISMATCH',
    `${series.symbol} ${name} was not the same after its conversion (${rows} rows before, ${after.rows} after${where})` +
      (how === 'toParquet' ? '; it was converted back' : ''),
  );
}

function differingHours(before: StoredHours, after: StoredHours): number[] {
  const hours = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => a - b);
  const lineOf = (stored: StoredHours, hourMs: number) => JSON.stringify(stored.get(hourMs));
  return hours.filter((hourMs) => lineOf(before, hourMs) !== lineOf(after, hourMs));
}

/** Bytes of a native row of the tables of trades. */
const ROW_BYTES = 54;

/** The partition is written a second time, and before that the server may have to put its parts together. */
function assertRoom(
  { freeBytes }: Pick<CompactDeps, 'freeBytes'>,
  { name, rows, bytes }: TradePartition,
): void {
  const free = freeBytes();
  const needed = 2 * Math.max(bytes, rows * ROW_BYTES);
  if (free === undefined || free >= needed) return;
  throw new CdvaultError(
    'DISK_TOO_SMALL',
    `the conversion of ${name} needs ${needed} bytes of free disk space, and ${free} are free`,
    { advice: 'Free disk space, then run the same command again.' },
  );
}
