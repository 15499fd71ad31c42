import { daysOf, isoDay, type TimeRange } from '../../domain/time/hour.ts';
import type {
  BarPartitions,
  DayMark,
  Partition,
  PartitionDigests,
  StorePartitions,
} from '../../ports/partitions.ts';
import {
  type Comparable,
  compactPartitions,
  type CompactOptions,
  type CompactStep,
  type ConvertDeps,
  type Convertible,
  restorePartitions,
} from './convert-partitions.ts';
import { SettledBars, type SettledBarsDeps } from './settled-bars.ts';

export interface CompactBarsDeps extends SettledBarsDeps, ConvertDeps {
  readonly partitions: Pick<StorePartitions, 'bars'>;
}

export type BarStep = { readonly table: string } & CompactStep;

/** Stores the settled partitions of all tables of bars as Parquet: see compactPartitions(). */
export async function* compactBars(
  deps: CompactBarsDeps,
  { isDryRun, beforeMs }: CompactOptions,
  signal: AbortSignal,
): AsyncGenerator<BarStep> {
  const { bars: partitions } = deps.partitions;
  const range = await storedRange(partitions);
  if (range === undefined) return;
  const look = await SettledBars.look(deps, range);
  for (const table of partitions.tables) {
    const rows = tableOf(deps, table, signal);
    const bars: Convertible<string, StoredRows> = {
      ...rows,
      isWrittenSince: async (partition, timeMs) => look.isBuiltSince(partition, timeMs),
      async settled(partition) {
        const reason = await look.reasonOf(partition, beforeMs);
        return reason ?? (async () => rows.read(partition));
      },
    };
    for await (const step of compactPartitions(deps, bars, isDryRun, signal))
      yield { table, ...step };
  }
}

/** Makes the Parquet partitions of all tables of bars native again. */
export async function* restoreBars(
  deps: CompactBarsDeps,
  { isDryRun }: Pick<CompactOptions, 'isDryRun'>,
  signal: AbortSignal,
): AsyncGenerator<BarStep> {
  for (const table of deps.partitions.bars.tables) {
    const bars = tableOf(deps, table, signal);
    for await (const step of restorePartitions(deps, bars, isDryRun, signal))
      yield { table, ...step };
  }
}

/** From the first to the last day of any table. */
async function storedRange(partitions: BarPartitions): Promise<TimeRange | undefined> {
  const all: Partition[] = [];
  for (const table of partitions.tables) all.push(...(await partitions.list(table)));
  if (all.length === 0) return undefined;
  return {
    startMs: Math.min(...all.map(({ startMs }) => startMs)),
    endMs: Math.max(...all.map(({ endMs }) => endMs)),
  };
}

/** What a partition holds. */
interface StoredRows {
  readonly marks: ReadonlyMap<number, DayMark>;
  readonly digests: PartitionDigests;
}

/** Bytes of a row, by the beginning of a table's name; measured at 200 series (ADR 29). */
const ROW_BYTES = {
  cdv: { native: 277, parquet: 60 },
  tier_minutes: { native: 133, parquet: 30 },
  tiers: { native: 172, parquet: 15 },
};

function tableOf(
  { partitions: { bars: partitions } }: Pick<CompactBarsDeps, 'partitions'>,
  table: string,
  signal: AbortSignal,
): Comparable<string, StoredRows> {
  const kind = (['tier_minutes', 'tiers'] as const).find((start) => table.startsWith(start));
  return {
    partitions,
    owner: table,
    label: table,
    rowBytes: ROW_BYTES[kind ?? 'cdv'],
    async read(partition) {
      const marks = await partitions.marks(partition);
      return { marks, digests: await partitions.digests(table, partition, signal) };
    },
    digestOf: ({ digests }) => digests.all,
    isBroken: ({ marks, digests }, { digest, compactedAtMs }) =>
      digest !== undefined &&
      digest !== digests.all &&
      [...marks.values()].every(({ builtAtMs }) => builtAtMs <= compactedAtMs),
    async compare(partition, before, after) {
      const differing = [...daysOf(partition)].filter(
        (dayMs) => before.digests.byDay.get(dayMs) !== after.digests.byDay.get(dayMs),
      );
      if (differing.length === 0) return 'same';
      // Read after the rows: a build changes the mark of a day before it writes a row of it.
      const now = await partitions.marks(partition);
      const unmarked = differing.filter((dayMs) => {
        const marks = [before.marks.get(dayMs), now.get(dayMs)];
        const isBeingBuilt = marks.some((one) => one?.isUnfinished === true);
        return !isBeingBuilt && marks[0]?.mark === marks[1]?.mark;
      });
      const [first] = unmarked;
      if (first === undefined) return 'written';
      return { where: `${counted(unmarked.length)} from ${isoDay(first)} on` };
    },
  };
}

function counted(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}
