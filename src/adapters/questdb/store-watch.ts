import type { GapClass } from '../../ports/ledger.ts';
import type { StoreWatch } from '../../ports/watch.ts';
import { isMigrated } from './migrate.ts';
import { int, OF_ANY_SERIES, type Sql, text, toSeries } from './sql.ts';

export function createStoreWatch(sql: Sql): StoreWatch {
  return {
    async health() {
      const [isSchemaCurrent, tables] = await Promise.all([
        isMigrated(sql),
        sql.query(
          'SELECT name, suspended, "sequencerTxn" - "writerTxn" AS pending FROM wal_tables() ORDER BY name',
        ),
      ]);
      return {
        isSchemaCurrent,
        tables: tables.map((row) => ({
          name: text(row, 'name'),
          isSuspended: row['suspended'] === 't',
          pendingTransactions: int(row, 'pending'),
        })),
      };
    },
    async openGaps() {
      const rows = await sql.query(
        `SELECT market, symbol, class, count() AS count FROM gaps WHERE ${OF_ANY_SERIES} AND resolved_at IS NULL ORDER BY market, symbol, class`,
      );
      return rows.map((row) => ({
        ...toSeries(row),
        gapClass: text(row, 'class') as GapClass,
        count: int(row, 'count'),
      }));
    },
  };
}
