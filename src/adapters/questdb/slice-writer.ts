import { CdvaultError } from '../../domain/errors.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { gathering, type ItemError } from './gathering.ts';
import { recordRow, recordValues, WRITTEN_COLUMNS } from './slice-row.ts';
import type { Sql } from './sql.ts';

/** Rows have 26 parameters each, of which a statement takes 65,535. The rows of one writer are at most a month's. */
const MOST_ROWS = 1_000;

/** The ledger rows of one writer, which are written together or not at all. */
export interface OwnedRows {
  readonly records: readonly SliceRecord[];
  /** Rejects unless the writer still holds the leases of these hours. */
  readonly assertHeld: () => Promise<void>;
}

/**
 * Writes ledger rows of several writers in one statement. The leases are checked right before it is sent; rows
 * whose lease is lost are left out, and their writer alone fails. When the store refuses the statement, the rows
 * of each writer are tried alone. Resolves when the rows are visible.
 */
export function createSliceWriter(sql: Sql): (rows: OwnedRows) => Promise<void> {
  return gathering(async (items) => writeTogether(sql, items), firstThatFit);
}

/** The rows of one writer that has just checked its leases itself. Resolves when the rows are visible. */
export async function writeRecords(sql: Sql, records: readonly SliceRecord[]): Promise<void> {
  const values = records.map(recordValues);
  const rows = values.map((row, index) => recordRow(index * row.length));
  await sql.query(
    `INSERT INTO slices (${WRITTEN_COLUMNS}) VALUES ${rows.join(', ')}`,
    values.flat(),
  );
  await sql.waitApplied('slices');
}

async function writeTogether(sql: Sql, items: readonly OwnedRows[]): Promise<readonly ItemError[]> {
  const errors = await Promise.all(items.map(async ({ assertHeld }) => errorOf(assertHeld)));
  const held = items.filter((_, index) => errors[index] === undefined);
  const outcomes = (await writeHeld(sql, held)).values();
  return errors.map((lost) => lost ?? outcomes.next().value);
}

async function writeHeld(sql: Sql, held: readonly OwnedRows[]): Promise<readonly ItemError[]> {
  const all = held.flatMap(({ records }) => records);
  if (all.length === 0) return [];
  const failed = await errorOf(() => writeRecords(sql, all));
  if (failed === undefined || held.length === 1 || !isRefusal(failed.error))
    return held.map(() => failed);
  const outcomes: ItemError[] = [];
  for (const { records, assertHeld } of held) {
    const alone = async () => {
      await assertHeld();
      await writeRecords(sql, records);
    };
    outcomes.push(await errorOf(alone));
  }
  return outcomes;
}

/** Whether one writer's rows may be the cause. */
function isRefusal(error: unknown): boolean {
  return error instanceof CdvaultError && error.code === 'STORE_REFUSED';
}

async function errorOf(work: () => Promise<void>): Promise<ItemError> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

function firstThatFit(waiting: readonly OwnedRows[]): number {
  let rows = 0;
  const end = waiting.findIndex(({ records }, index) => {
    rows += records.length;
    return index > 0 && rows > MOST_ROWS;
  });
  return end === -1 ? waiting.length : end;
}
