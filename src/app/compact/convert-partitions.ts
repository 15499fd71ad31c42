import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Compaction, Partition, Partitions } from '../../ports/partitions.ts';

/**
 * Why a partition stays as it is. `newest`: rows are appended to it. `recent`: an hour of it was fetched, or a
 * day of it built, lately. `unproven`: it has trades of an hour that is open, awaited or not in the ledger.
 * `bars_due`: its bars are not built from what the ledger has. `differs`: its trades are not those that the
 * ledger counts.
 */
export const REASONS = ['newest', 'recent', 'unproven', 'bars_due', 'differs'] as const;
export type Reason = (typeof REASONS)[number];

export interface ConvertDeps {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Free disk space of the store; undefined when it is not on this machine. */
  readonly freeBytes: () => number | undefined;
}

/** What was done about a partition, given as it was before. `due`: would be converted, in a dry run. */
export type CompactStep = { readonly partition: Partition } & (
  | { readonly state: 'converted'; readonly bytesAfter: number }
  | { readonly state: 'due'; readonly bytesAbout: number }
  | { readonly state: 'done' }
  | { readonly state: 'skipped'; readonly why: Reason }
);

export interface CompactOptions {
  readonly isDryRun: boolean;
  /** Partitions with an hour that was fetched, or a day that was built, later stay as they are. */
  readonly beforeMs: number;
}

/**
 * What two readings of a partition say about a conversion between them. `written`: they differ, and somebody
 * has written there meanwhile. `where`: what differs although nobody has.
 */
export type Comparison = 'same' | 'written' | { readonly where: string };

/** Partitions of one table, and what proves that a conversion changed no row. */
export interface Comparable<Owner, Content> {
  readonly partitions: Partitions<Owner>;
  readonly owner: Owner;
  /** For messages. */
  readonly label: string;
  /** Of a native row, and about those of a row in Parquet. */
  readonly rowBytes: { readonly native: number; readonly parquet: number };
  /** What is compared. */
  read(partition: Partition): Promise<Content>;
  compare(partition: Partition, before: Content, after: Content): Promise<Comparison>;
  /** What is recorded of the rows before a conversion, for `isBroken`. */
  digestOf(content: Content): string | undefined;
  /**
   * Whether the rows are not those of before a conversion that was killed before they were compared, although
   * nobody has written since.
   */
  isBroken(content: Content, compaction: Compaction): boolean;
}

/** The same with what decides which of them are converted. */
export interface Convertible<Owner, Content> extends Comparable<Owner, Content> {
  isWrittenSince(partition: Partition, timeMs: number): Promise<boolean>;
  /** @returns what reads the partition, or why it stays as it is */
  settled(partition: Partition): Promise<Reason | (() => Promise<Content>)>;
}

/**
 * Stores the settled partitions of a table as Parquet, oldest first. A Parquet partition that is not recorded,
 * or into which rows were written since, is converted to native first.
 * @throws CdvaultError COMPACT_MISMATCH, DISK_TOO_SMALL
 */
export async function* compactPartitions<Owner, Content>(
  deps: ConvertDeps,
  table: Convertible<Owner, Content>,
  isDryRun: boolean,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  const compactions = await table.partitions.compactions(table.owner);
  for (const partition of await table.partitions.list(table.owner)) {
    signal.throwIfAborted();
    const compaction = compactions.get(partition.startMs);
    const isCompacted =
      partition.isParquet &&
      compaction?.bytesAfter !== undefined &&
      compaction.rows === partition.rows &&
      !(await table.isWrittenSince(partition, compaction.compactedAtMs));
    if (isCompacted) {
      yield { partition, state: 'done' };
      continue;
    }
    const settled = await table.settled(partition);
    if (typeof settled === 'string') yield { partition, state: 'skipped', why: settled };
    else if (isDryRun)
      yield {
        partition,
        state: 'due',
        bytesAbout: Math.round(partition.rows * table.rowBytes.parquet),
      };
    else {
      assertRoom(deps, table, partition);
      const known = { partition, before: await settled() };
      await assertWhole(table, known, compaction);
      const bytesAfter = await compact(deps, table, known, signal);
      if (bytesAfter === undefined) yield { partition, state: 'skipped', why: 'recent' };
      else yield { partition, state: 'converted', bytesAfter };
    }
  }
}

/** Makes the Parquet partitions of a table native again. */
export async function* restorePartitions<Owner, Content>(
  deps: ConvertDeps,
  table: Comparable<Owner, Content>,
  isDryRun: boolean,
  signal: AbortSignal,
): AsyncGenerator<CompactStep> {
  const { partitions, owner } = table;
  const compactions = await partitions.compactions(owner);
  for (const found of await partitions.list(owner)) {
    signal.throwIfAborted();
    if (!found.isParquet) yield { partition: found, state: 'done' };
    else if (isDryRun)
      yield { partition: found, state: 'due', bytesAbout: found.rows * table.rowBytes.native };
    else {
      assertRoom(deps, table, found);
      const before = await table.read(found);
      // Others may have written since the partitions were listed: an undo does not wait for settled ones.
      const now = await partitions.list(owner);
      const partition = now.find(({ name }) => name === found.name) ?? found;
      const known = { partition, before };
      await assertWhole(table, known, compactions.get(partition.startMs));
      const { after } = await converted(table, known, 'toNative', signal);
      yield { partition, state: 'converted', bytesAfter: after.bytes };
    }
  }
}

interface KnownPartition<Content> {
  readonly partition: Partition;
  readonly before: Content;
}

/** @returns the bytes of the partition as Parquet; undefined when it was written to meanwhile and is native again */
async function compact<Owner, Content>(
  { clock }: ConvertDeps,
  table: Comparable<Owner, Content>,
  { partition: found, before }: KnownPartition<Content>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { partitions, owner } = table;
  const partition = found.isParquet
    ? (await converted(table, { partition: found, before }, 'toNative', signal)).after
    : found;
  const { startMs, rows, bytes: bytesBefore } = partition;
  // Rows that are written from here on are newer than the conversion.
  const digest = table.digestOf(before);
  const begun = { startMs, rows, bytesBefore, digest, compactedAtMs: clock.nowMs() };
  await partitions.record(owner, { ...begun, bytesAfter: undefined });
  const { after, isSame } = await converted(table, { partition, before }, 'toParquet', signal);
  if (!isSame) return undefined;
  await partitions.record(owner, { ...begun, bytesAfter: after.bytes });
  return after.bytes;
}

/** @throws CdvaultError COMPACT_MISMATCH when a conversion that was killed before the comparison has changed rows */
async function assertWhole<Owner, Content>(
  table: Comparable<Owner, Content>,
  { partition: { name, isParquet }, before }: KnownPartition<Content>,
  compaction: Compaction | undefined,
): Promise<void> {
  const isUncompared = isParquet && compaction !== undefined && compaction.bytesAfter === undefined;
  if (!isUncompared || !table.isBroken(before, compaction)) return;
  await table.partitions.toNative(table.owner, name, AbortSignal.timeout(UNDO_MS));
  throw new CdvaultError(
    'COMPACT_MISMATCH',
    `${table.label} ${name} does not have the rows of before its conversion, which was interrupted; it was converted back`,
  );
}

/** Long enough to wait for another conversion or a migration. */
const UNDO_MS = 120_000;

/** Converts, and compares what the store returns then with what it returned before. */
async function converted<Owner, Content>(
  table: Comparable<Owner, Content>,
  { partition, before }: KnownPartition<Content>,
  how: 'toParquet' | 'toNative',
  signal: AbortSignal,
): Promise<{ readonly after: Partition; readonly isSame: boolean }> {
  const { partitions, owner, label } = table;
  const { name, rows } = partition;
  const after = await partitions[how](owner, name, signal);
  const comparison = await table.compare(partition, before, await table.read(partition));
  if (comparison === 'same' && after.rows === rows) return { after, isSame: true };
  // Also when the command is being stopped.
  if (how === 'toParquet') await partitions.toNative(owner, name, AbortSignal.timeout(UNDO_MS));
  if (comparison === 'written') return { after, isSame: false };
  const where = comparison === 'same' ? '' : `, ${comparison.where}`;
  throw new CdvaultError(
    'COMPACT_MISMATCH',
    `${label} ${name} was not the same after its conversion (${rows} rows before, ${after.rows} after${where})` +
      (how === 'toParquet' ? '; it was converted back' : ''),
  );
}

/** The partition is written a second time, and before that the server may have to put its parts together. */
function assertRoom<Owner, Content>(
  { freeBytes }: ConvertDeps,
  { label, rowBytes }: Comparable<Owner, Content>,
  { name, rows, bytes }: Partition,
): void {
  const free = freeBytes();
  const needed = 2 * Math.max(bytes, rows * rowBytes.native);
  if (free === undefined || free >= needed) return;
  throw new CdvaultError(
    'DISK_TOO_SMALL',
    `the conversion of ${label} ${name} needs ${needed} bytes of free disk space, and ${free} are free`,
    { advice: 'Free disk space, then run the same command again.' },
  );
}
