import type { StoreCures } from '../../ports/doctor.ts';
import { optionalInt, type Sql } from './sql.ts';
import { makeViews } from './view-facts.ts';

/** What `doctor --fix` does in the store. None of it deletes data. */
export function createStoreCures(sql: Sql): StoreCures {
  return {
    makeViews: (names) => makeViews(sql, names),
    async resume(table) {
      await sql.query(`ALTER TABLE "${table}" RESUME WAL`);
    },
    async nextSegment(table, transaction) {
      const [row] = await sql.query(
        `SELECT "walId" AS wal, "segmentId" AS segment FROM wal_transactions('${table}') ` +
          `WHERE "sequencerTxn" = ${transaction}`,
      );
      const wal = row === undefined ? undefined : optionalInt(row, 'wal');
      const segment = row === undefined ? undefined : optionalInt(row, 'segment');
      // A change of the schema is in the sequencer's own log.
      if (wal === undefined || segment === undefined || wal < 1) return undefined;
      const [live] = await sql.query(
        'SELECT "directoryName" AS folder FROM tables() WHERE table_name = $1',
        [table],
      );
      const folder = live?.['folder'];
      return folder === null || folder === undefined
        ? undefined
        : `db/${folder}/wal${wal}/${segment}`;
    },
  };
}
