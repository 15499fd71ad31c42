import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { formatDecimal, PRICE_SCALE } from '../../domain/trade/decimal.ts';
import type { Bins, FootprintCell, ShownTrade, TradeReads } from '../../ports/chart-trades.ts';
import {
  int,
  NOT_FORGOTTEN,
  OF_SERIES,
  seriesParameters,
  type Sql,
  text,
  type TextRow,
} from './sql.ts';
import { VALID_ROWS } from './trade-store.ts';

/** Reads raw trades as a user that may only select. */
export function createTradeReads(sql: Sql): TradeReads {
  /** The table of a series, with all acknowledged rows; undefined while it has no trades. */
  async function tableOf(series: Series): Promise<string | undefined> {
    const [row] = await sql.query(
      `SELECT trades_table FROM series WHERE ${OF_SERIES} AND ${NOT_FORGOTTEN}`,
      seriesParameters(series),
    );
    const table = row?.['trades_table'] ?? undefined;
    if (table === undefined) return undefined;
    await sql.waitApplied(table);
    return table;
  }

  return {
    async cells(series, range, { originMs, lengthMs, binE8 }, limit) {
      const table = await tableOf(series);
      if (table === undefined) return { rows: [], nextMs: undefined, sql: undefined };
      // Whole numbers: the division drops what is behind the edge of a bar or a bin.
      const bar = `(ts::long - ${originMs * 1000}) / ${lengthMs * 1000}`;
      const bin = `(price * 100000000m)::long / ${binE8}`;
      const cellsIn = (part: TimeRange) =>
        `SELECT ${bar} AS bar, ${bin} AS bin, ${sumOf('NOT is_buyer_maker')} AS buy, ${sumOf('is_buyer_maker')} AS sell, ` +
        `count() AS agg_trades FROM ${table} WHERE ${within(part)} AND ${VALID_ROWS} GROUP BY bar, bin ORDER BY bar, bin`;
      const found = await sql.query(`${cellsIn(range)} LIMIT ${limit + 1}`);
      const cells = found.map((row) => toCell(row, { originMs, lengthMs, binE8 }));
      const nextMs = cells.length > limit ? cells.at(-1)?.timeMs : undefined;
      const shown =
        `SELECT (bar * ${lengthMs * 1000}L + ${originMs * 1000}L)::timestamp ts, ` +
        `(bin * ${formatDecimal(binE8, PRICE_SCALE)}m)::decimal(18,8) price, buy, sell, agg_trades`;
      const shownRange = { ...range, endMs: Math.min(range.endMs, nextMs ?? range.endMs) };
      return {
        rows: nextMs === undefined ? cells : cells.filter(({ timeMs }) => timeMs < nextMs),
        nextMs,
        sql: `${shown} FROM (${cellsIn(shownRange)})`,
      };
    },
    async page(series, { range, afterId }, limit) {
      const table = await tableOf(series);
      if (table === undefined) return { trades: [], nextAfterId: undefined, sql: undefined };
      const later = afterId === undefined ? '' : ` AND agg_id > ${afterId}`;
      const from = `FROM ${table} WHERE ${within(range)} AND ${VALID_ROWS}${later} ORDER BY agg_id LIMIT`;
      const rows = await sql.query(
        `SELECT agg_id, ts::long AS time_us, price, qty, is_buyer_maker, first_id, last_id ${from} ${limit + 1}`,
      );
      const trades = rows.slice(0, limit).map(toTrade);
      return {
        trades,
        nextAfterId: rows.length > limit ? trades.at(-1)?.aggId : undefined,
        sql: `SELECT agg_id, ts, price, qty, is_buyer_maker, first_id, last_id ${from} ${limit}`,
      };
    },
  };
}

function toCell(row: TextRow, { originMs, lengthMs, binE8 }: Bins): FootprintCell {
  return {
    timeMs: int(row, 'bar') * lengthMs + originMs,
    price: formatDecimal(BigInt(text(row, 'bin')) * binE8, PRICE_SCALE),
    buy: text(row, 'buy'),
    sell: text(row, 'sell'),
    aggTrades: int(row, 'agg_trades'),
  };
}

function toTrade(row: TextRow): ShownTrade {
  return {
    aggId: int(row, 'agg_id'),
    timeUs: int(row, 'time_us'),
    price: text(row, 'price'),
    qty: text(row, 'qty'),
    isBuyerMaker: row['is_buyer_maker'] === 't',
    firstId: int(row, 'first_id'),
    lastId: int(row, 'last_id'),
  };
}

function within({ startMs, endMs }: TimeRange): string {
  return `ts >= ${startMs * 1000}::timestamp AND ts < ${endMs * 1000}::timestamp`;
}

function sumOf(which: string): string {
  return `sum(CASE WHEN ${which} THEN qty ELSE 0m END)`;
}
