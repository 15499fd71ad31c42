import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { formatDecimal, PRICE_SCALE } from '../../domain/trade/decimal.ts';
import type { TradeReads } from '../../ports/chart-data.ts';
import { int, OF_SERIES, seriesParameters, type Sql, text } from './sql.ts';
import { VALID_ROWS } from './trade-store.ts';

/** Reads raw trades as a user that may only select. */
export function createTradeReads(sql: Sql): TradeReads {
  /** The table of a series, with all acknowledged rows; undefined when it has none. */
  async function tableOf(series: Series): Promise<string | undefined> {
    const [row] = await sql.query(
      `SELECT trades_table FROM series WHERE ${OF_SERIES}`,
      seriesParameters(series),
    );
    if (row === undefined) return undefined;
    const table = text(row, 'trades_table');
    await sql.waitApplied(table);
    return table;
  }

  return {
    async cells(series, range, { originMs, lengthMs, binE8 }, limit) {
      const table = await tableOf(series);
      if (table === undefined) return [];
      // Whole numbers: the division drops what is behind the edge of a bar or a bin.
      const bar = `(ts::long - ${originMs * 1000}) / ${lengthMs * 1000}`;
      const bin = `(price * 100000000m)::long / ${binE8}`;
      const rows = await sql.query(
        `SELECT ${bar} AS bar, ${bin} AS bin, ${sumOf('NOT is_buyer_maker')} AS buy, ${sumOf('is_buyer_maker')} AS sell, ` +
          `count() AS n FROM ${table} WHERE ${within(range)} AND ${VALID_ROWS} ` +
          `GROUP BY bar, bin ORDER BY bar, bin LIMIT ${limit}`,
      );
      return rows.map((row) => ({
        timeMs: int(row, 'bar') * lengthMs + originMs,
        price: formatDecimal(BigInt(text(row, 'bin')) * binE8, PRICE_SCALE),
        buy: text(row, 'buy'),
        sell: text(row, 'sell'),
        aggTrades: int(row, 'n'),
      }));
    },
    async page(series, { range, afterId }, limit) {
      const table = await tableOf(series);
      if (table === undefined) return [];
      const later = afterId === undefined ? '' : ` AND agg_id > ${afterId}`;
      const rows = await sql.query(
        'SELECT agg_id, ts::long AS time_us, price, qty, is_buyer_maker, first_id, last_id ' +
          `FROM ${table} WHERE ${within(range)} AND ${VALID_ROWS}${later} ORDER BY agg_id LIMIT ${limit}`,
      );
      return rows.map((row) => ({
        aggId: int(row, 'agg_id'),
        timeUs: int(row, 'time_us'),
        price: text(row, 'price'),
        qty: text(row, 'qty'),
        isBuyerMaker: row['is_buyer_maker'] === 't',
        firstId: int(row, 'first_id'),
        lastId: int(row, 'last_id'),
      }));
    },
  };
}

function within({ startMs, endMs }: TimeRange): string {
  return `ts >= ${startMs * 1000}::timestamp AND ts < ${endMs * 1000}::timestamp`;
}

function sumOf(which: string): string {
  return `sum(CASE WHEN ${which} THEN qty ELSE 0m END)`;
}
