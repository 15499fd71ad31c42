import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { createSql } from '../../src/adapters/questdb/sql.ts';
import type { Store } from './place.ts';

/** `2024-01-01.88` (version 88 of a day) or `2024-01` (a month). */
const PARTITION = /^(\d{4}(?:-W?\d\d)*)(?:\.(\d+))?$/;
/** The unit of `blocks` in stat(2), whatever the file system's block size is. */
const BLOCK_BYTES = 512;

/** Disk bytes of the tables whose names satisfy a condition. */
export type TableBytes = (wanted: (table: string) => boolean) => number;

/**
 * Squashes all tables and stops the store: QuestDB cuts its last pages to the length of their rows only then.
 * What QuestDB deletes in time is not counted: write-ahead logs and older versions of a partition.
 */
export async function stoppedBytes(store: Store): Promise<TableBytes> {
  const sql = createSql(store.urls.questdbPgUrl, 1);
  try {
    const tables = await sql.query(
      "SELECT table_name name FROM tables() WHERE table_type = 'T' AND partitionBy <> 'NONE'",
    );
    for (const { name } of tables) await sql.query(`ALTER TABLE "${name}" SQUASH PARTITIONS`);
    for (const { name } of tables) await sql.waitApplied(String(name));
  } finally {
    await sql.close();
  }
  await store.stop();
  const folder = path.join(store.dir, 'questdb/db');
  const bytes = new Map(readdirSync(folder).map((name) => [name, partitionBytes(folder, name)]));
  return (wanted) =>
    [...bytes].reduce(
      // `agg_trades~12`: the folder of a table ends in the number that the server gave it.
      (sum, [name, size]) => (wanted(name.replace(/~\d+$/, '')) ? sum + size : sum),
      0,
    );
}

function partitionBytes(db: string, table: string): number {
  if (!statSync(path.join(db, table)).isDirectory()) return 0;
  const newest = new Map<string, { readonly version: number; readonly folder: string }>();
  for (const name of readdirSync(path.join(db, table))) {
    const [, partition, version = '0'] = PARTITION.exec(name) ?? [];
    if (partition === undefined) continue;
    if ((newest.get(partition)?.version ?? -1) < Number(version))
      newest.set(partition, { version: Number(version), folder: path.join(db, table, name) });
  }
  return [...newest.values()].reduce((sum, { folder }) => sum + diskBytes(folder), 0);
}

function diskBytes(folder: string): number {
  const files = readdirSync(folder).map((name) => statSync(path.join(folder, name)));
  return files.reduce((sum, { blocks }) => sum + blocks * BLOCK_BYTES, 0);
}
