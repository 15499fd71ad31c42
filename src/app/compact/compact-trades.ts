import type { Series } from '../../domain/market.ts';
import { isoHour } from '../../domain/time/hour.ts';
import type { StorePartitions } from '../../ports/partitions.ts';
import {
  type Comparable,
  compactPartitions,
  type CompactOptions,
  type CompactStep,
  type ConvertDeps,
  type Convertible,
  restorePartitions,
} from './convert-partitions.ts';
import {
  recordsOf,
  type SettledDeps,
  settledTrades,
  storedHours,
  type StoredHours,
} from './settled-trades.ts';

export interface CompactTradesDeps extends SettledDeps, ConvertDeps {
  readonly partitions: Pick<StorePartitions, 'trades'>;
}

/** Stores the settled partitions of a series' trades as Parquet: see compactPartitions(). */
export function compactSeries(
  deps: CompactTradesDeps,
  series: Series,
  { isDryRun, beforeMs }: CompactOptions,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  const trades: Convertible<Series, StoredHours> = {
    ...tradesOf(deps, series),
    async isWrittenSince(partition, timeMs) {
      const records = await recordsOf(deps, series, partition);
      return records.some(({ fetchedAtMs }) => fetchedAtMs > timeMs);
    },
    async settled(partition) {
      const records = await recordsOf(deps, series, partition);
      const settled = await settledTrades(deps, series, { partition, records, beforeMs });
      return typeof settled === 'string' ? settled : async () => settled;
    },
  };
  return compactPartitions(deps, trades, isDryRun, signal);
}

/** Makes the Parquet partitions of a series' trades native again. */
export function restoreSeries(
  deps: CompactTradesDeps,
  series: Series,
  { isDryRun }: Pick<CompactOptions, 'isDryRun'>,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  return restorePartitions(deps, tradesOf(deps, series), isDryRun, signal);
}

/** Measured of a busy series; those of a small one take up to twice as much in Parquet (ADR 25). */
const ROW_BYTES = { native: 54, parquet: 5.5 };

function tradesOf(deps: CompactTradesDeps, series: Series): Comparable<Series, StoredHours> {
  return {
    partitions: deps.partitions.trades,
    owner: series,
    label: series.symbol,
    rowBytes: ROW_BYTES,
    read: async (partition) => storedHours(deps, series, partition),
    // The ledger tells whether the trades are whole.
    digestOf: () => undefined,
    isBroken: () => false,
    async compare(_partition, before, after) {
      const differing = differingHours(before, after);
      // No conversion adds rows.
      const rowsOf = (stored: StoredHours, hourMs: number) => stored.get(hourMs)?.rows ?? 0;
      const changed = differing.filter((hourMs) => rowsOf(after, hourMs) <= rowsOf(before, hourMs));
      const [first, ...others] = changed;
      if (first === undefined) return differing.length === 0 ? 'same' : 'written';
      return { where: `${1 + others.length} hours from ${isoHour(first)} on` };
    },
  };
}

function differingHours(before: StoredHours, after: StoredHours): number[] {
  const hours = [...new Set([...before.keys(), ...after.keys()])].toSorted((a, b) => a - b);
  const lineOf = (stored: StoredHours, hourMs: number) => JSON.stringify(stored.get(hourMs));
  return hours.filter((hourMs) => lineOf(before, hourMs) !== lineOf(after, hourMs));
}
