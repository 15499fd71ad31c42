import { TRADE_COLUMNS } from '../../domain/proof/export.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ParquetExport } from '../../ports/parquet-export.ts';
import type { TradeScan } from '../../ports/trade-scan.ts';
import type { TimeWindowUs } from '../../ports/trade-store.ts';
import { barsToExport } from './bar-export-sql.ts';
import { CSV_COLUMNS, CsvTrades } from './csv-trades.ts';
import { ExpConnection } from './exp-connection.ts';
import type { SeriesTables } from './series-tables.ts';
import type { Sql } from './sql.ts';
import { LIVE_ROWS } from './trade-store.ts';

/**
 * Everything that decides the bytes of a file besides its rows and the server's version. Level 3 of ZSTD:
 * 9 takes four times the server's time for 2 % fewer bytes. The read-back holds one row group at a time: with 10,000
 * rows it takes half the CPU that it takes with 50,000, because what it leaves is collected while young.
 */
const PARQUET = {
  fmt: 'parquet',
  compression_codec: 'zstd',
  compression_level: '3',
  row_group_size: '10000',
  statistics_enabled: 'true',
};

/** In place of the table of a series that has no trades. */
const NO_TRADES =
  '(SELECT 0::timestamp ts, 0L agg_id, 0m::decimal(18,8) price, 0m::decimal(28,8) qty, 0L first_id, 0L last_id, ' +
  'false is_buyer_maker FROM long_sequence(0))';

/**
 * Reads trades and bars through `/exp`, as the main user: only the wire protocol of Postgres has a
 * read-only one.
 * @param url http://user:password@host:port
 */
export function createBulkReads(
  url: string,
  {
    sql,
    tables,
    clock,
  }: {
    readonly sql: Pick<Sql, 'waitApplied'>;
    readonly tables: Pick<SeriesTables, 'upToDate'>;
    readonly clock: Clock;
  },
): { readonly scan: TradeScan; readonly parquet: ParquetExport; close(): Promise<void> } {
  const connection = new ExpConnection(url, clock);

  return {
    scan: {
      async *hours(series, window, signal) {
        const table = (await tables.upToDate(series)) ?? NO_TRADES;
        const query = `SELECT ${CSV_COLUMNS} ${rowsOf(table, window)} ORDER BY timestamp_floor('1h', ts), agg_id, ts`;
        const trades = new CsvTrades();
        for await (const piece of connection.read(query, {}, signal)) yield trades.push(piece);
        trades.end();
      },
    },
    parquet: {
      async *trades(series, { window, firstId, lastId }, signal) {
        const table = (await tables.upToDate(series)) ?? NO_TRADES;
        const ids = `agg_id >= ${firstId} AND agg_id <= ${lastId}`;
        const query = `SELECT ${TRADE_COLUMNS.join(', ')} ${rowsOf(table, window)} AND ${ids} ORDER BY agg_id, ts`;
        yield* connection.read(query, PARQUET, signal);
      },
      async *bars(series, data, range, signal) {
        const { table, query } = barsToExport(series, data, range);
        await sql.waitApplied(table);
        yield* connection.read(query, PARQUET, signal);
      },
    },
    close: () => connection.close(),
  };
}

function rowsOf(table: string, { startUs, endUs }: TimeWindowUs): string {
  return (
    `FROM ${table} WHERE ${LIVE_ROWS} ` +
    `AND ts >= ${startUs}::timestamp AND ts < ${endUs}::timestamp`
  );
}
