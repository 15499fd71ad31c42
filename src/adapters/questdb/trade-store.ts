import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { StoredRun, TimeWindowUs, TradeKey, TradeStore } from '../../ports/trade-store.ts';
import type { SeriesTables } from './series-tables.ts';
import { int, optionalInt, type Sql, text, type TextRow } from './sql.ts';
import type { TradeWriter } from './trade-writer.ts';

/**
 * In both raw id columns: a row that we stored and that must no longer count. The exchange's invalid rows
 * have -1.
 */
const TOMBSTONE_ID = -2;
/** Rows that are not tombstones. */
export const LIVE_ROWS = `first_id <> ${TOMBSTONE_ID}`;
/** Rows that count in sums and bars: the same rule as isInvalid in domain/trade/agg-trade.ts. */
export const VALID_ROWS = 'first_id >= 0 AND qty > 0m AND price > 0m';

/**
 * A trade that is stored with ms and with µs appears twice within one millisecond; 1 s is more than
 * enough.
 */
const DOUBLE_SEARCH_US = 1_000_000;

/**
 * Rows of one page. For each page the server scans the whole window again, so fewer pages are faster:
 * reading a busy day hour by hour takes half the server's time that pages of 5,000 take; larger pages gain
 * little. Eight readers at once hold about 40 MB more than with 5,000. `/exp` would stream, but on a small
 * machine the server refuses a third export at the same time, and after a crash every slice in flight reads
 * its stored rows.
 */
const READ_ROWS = 20_000;

export function createTradeStore(deps: {
  readonly sql: Sql;
  readonly tables: SeriesTables;
  readonly writer: TradeWriter;
}): TradeStore & { close(): Promise<void> } {
  const { sql, tables, writer } = deps;

  return {
    write: (series, trades, signal) => writer.write(series, trades, signal),
    async *read(series, window) {
      const table = await tables.upToDate(series);
      if (table !== undefined) yield* pagesOf(sql, table, window);
    },
    async readBack(series, window) {
      const table = await tables.upToDate(series);
      if (table === undefined) return NOTHING_STORED;
      const inside = `ts >= ${window.startUs}::timestamp AND ts < ${window.endUs}::timestamp`;
      const [row] = await sql.query(
        `SELECT sum(CASE WHEN ${inside} THEN 1 ELSE 0 END) AS rows, count() - count_distinct(agg_id) AS double_rows, ` +
          `min(CASE WHEN ${inside} THEN agg_id END) AS first_id, max(CASE WHEN ${inside} THEN agg_id END) AS last_id, ` +
          `${sumOf(`${inside} AND NOT is_buyer_maker`)} AS buy, ${sumOf(`${inside} AND is_buyer_maker`)} AS sell ` +
          `FROM ${table} WHERE ${within(around(window))} AND ${LIVE_ROWS}`,
      );
      if (row === undefined)
        throw new CdvaultError('INTERNAL', 'an aggregate query returned no row');
      return toStoredRun(row, int(row, 'double_rows'));
    },
    async readBackHours(series, window) {
      const table = await tables.upToDate(series);
      if (table === undefined) return new Map();
      const [hours, [whole]] = await Promise.all([
        sql.query(
          `SELECT ts::long AS hour_us, count() AS rows, min(agg_id) AS first_id, max(agg_id) AS last_id, ` +
            `${sumOf('NOT is_buyer_maker')} AS buy, ${sumOf('is_buyer_maker')} AS sell ` +
            `FROM ${table} WHERE ${within(window)} AND ${LIVE_ROWS} SAMPLE BY 1h`,
        ),
        sql.query(
          'SELECT count() - count_distinct(agg_id) AS double_rows ' +
            `FROM ${table} WHERE ${within(around(window))} AND ${LIVE_ROWS}`,
        ),
      ]);
      const doubleRows = whole === undefined ? 0 : int(whole, 'double_rows');
      return new Map(
        hours.map((row) => [int(row, 'hour_us') / 1000, toStoredRun(row, doubleRows)]),
      );
    },
    bury: (series, keys, signal) => writer.write(series, keys.map(tombstone), signal),
    close: () => writer.close(),
  };
}

/** The live rows of a window in id order, in pages. */
async function* pagesOf(sql: Sql, table: string, window: TimeWindowUs): AsyncGenerator<AggTrade> {
  for (let after = ''; ;) {
    const rows = await sql.query(
      'SELECT agg_id, price, qty, first_id, last_id, ts::long AS time_us, is_buyer_maker ' +
        `FROM ${table} WHERE ${within(window)} AND ${LIVE_ROWS}${after} ORDER BY agg_id, ts LIMIT ${READ_ROWS}`,
    );
    for (const row of rows) yield toTrade(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < READ_ROWS) return;
    const [aggId, timeUs] = [int(last, 'agg_id'), int(last, 'time_us')];
    after = ` AND (agg_id > ${aggId} OR (agg_id = ${aggId} AND ts > ${timeUs}::timestamp))`;
  }
}

const NOTHING_STORED: StoredRun = {
  rows: 0,
  doubleRows: 0,
  firstId: undefined,
  lastId: undefined,
  buyQty: '0.00000000',
  sellQty: '0.00000000',
};

function sumOf(which: string): string {
  return `sum(CASE WHEN ${which} AND ${VALID_ROWS} THEN qty ELSE 0m END)`;
}

function around({ startUs, endUs }: TimeWindowUs): TimeWindowUs {
  return { startUs: startUs - DOUBLE_SEARCH_US, endUs: endUs + DOUBLE_SEARCH_US };
}

function toStoredRun(row: TextRow, doubleRows: number): StoredRun {
  return {
    rows: optionalInt(row, 'rows') ?? 0,
    doubleRows,
    firstId: optionalInt(row, 'first_id'),
    lastId: optionalInt(row, 'last_id'),
    buyQty: row['buy'] ?? '0.00000000',
    sellQty: row['sell'] ?? '0.00000000',
  };
}

function within({ startUs, endUs }: TimeWindowUs): string {
  return `ts >= ${startUs}::timestamp AND ts < ${endUs}::timestamp`;
}

function tombstone({ aggId, timeUs }: TradeKey): AggTrade {
  return {
    aggId,
    timeUs,
    price: '0',
    qty: '0',
    firstId: TOMBSTONE_ID,
    lastId: TOMBSTONE_ID,
    isBuyerMaker: false,
  };
}

function toTrade(row: TextRow): AggTrade {
  return {
    aggId: int(row, 'agg_id'),
    price: text(row, 'price'),
    qty: text(row, 'qty'),
    firstId: int(row, 'first_id'),
    lastId: int(row, 'last_id'),
    timeUs: int(row, 'time_us'),
    isBuyerMaker: row['is_buyer_maker'] === 't',
  };
}
