import pg from 'pg';
import { CdvaultError } from '../../domain/errors.ts';
import type { Sql } from './sql.ts';

/** How a wait for a table begins. */
export const WAIT = 'SELECT wait_wal_table(';

/** Tables to which QuestDB has stopped applying what is written. */
export async function suspendedTables(sql: Pick<Sql, 'query'>): Promise<readonly string[]> {
  const rows = await sql.query('SELECT name FROM wal_tables() WHERE suspended');
  return rows.map(({ name }) => name ?? '');
}

/** The server's words when the kernel gives it no more memory maps (`vm.max_map_count`). */
const NO_MAP = /could not mmap/;

/**
 * Finds the error code. The server's SQLSTATE is always 00000: the class of the error shows that the server
 * refused. Whether a table is suspended is queried, since the text of the error may quote anything, except that
 * of a wait for the table.
 */
export async function storeError(
  error: unknown,
  statement: string,
  suspendedTables: () => Promise<readonly string[]>,
): Promise<CdvaultError> {
  const message = error instanceof Error ? error.message : String(error);
  const action = statement.trim().split(/\s+/).slice(0, 6).join(' ');
  if (!(error instanceof pg.DatabaseError)) {
    return new CdvaultError(
      'STORE_UNREACHABLE',
      `QuestDB did not answer (${action} …): ${message || 'connection failed'}`,
      { cause: error },
    );
  }
  if (NO_MAP.test(message)) {
    return new CdvaultError(
      'STORE_UNREACHABLE',
      `QuestDB could not open a table (${action} …): ${message}`,
      {
        cause: error,
        advice:
          'Its memory maps are used up. Set vm.max_map_count=1048576 on its machine (sysctl); it also closes tables that nobody has read for two minutes. No data is lost; run the same command again.',
      },
    );
  }
  const words = new Set(statement.match(/\w+/g));
  const isSuspended =
    (statement.startsWith(WAIT) && message.startsWith('table is suspended ')) ||
    // If this query fails, only the refusal is known.
    (await suspendedTables().catch(() => [])).some((table) => words.has(table));
  if (isSuspended) {
    return new CdvaultError(
      'TABLE_SUSPENDED',
      `QuestDB has suspended a table (${action} …): ${message}`,
      { cause: error },
    );
  }
  return new CdvaultError('STORE_REFUSED', `QuestDB refused (${action} …): ${message}`, {
    cause: error,
  });
}
