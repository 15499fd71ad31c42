/** What a legend must say, from stored bars by SQL. */

import { literal, type Sql } from '../../src/adapters/questdb/sql.ts';
import type { Series } from '../../src/domain/market.ts';
import { formatDecimal, parseDecimal } from '../../src/domain/trade/decimal.ts';
import { iso } from './browser.ts';

/** Prices, delta, sizes and ids of stored bars, from the exact table of their interval. */
export async function storedBar(sql: Sql, series: Series, interval: string, timeMs: number) {
  const [row] = await sql.query(
    `SELECT open, high, low, close, delta, buy_volume, sell_volume, agg_trades, first_id, last_id,
       quote_delta, price_open, price_high, price_low, price_close FROM cdv_exact_${interval}
     WHERE symbol = ${literal(series.symbol)} AND ts = ${literal(iso(timeMs))}`,
  );
  return row;
}

/**
 * Levels of a bar that count from an instant: sums of the deltas of stored minutes, and the levels inside
 * each minute moved by the sum before it.
 */
export async function countedLevels(
  sql: Sql,
  series: Series,
  fromMs: number,
  bar: { at: number; end: number },
) {
  const minutes = await sql.query(
    `SELECT ts::long us, agg_trades, high, low, close, delta FROM cdv_exact_1m
     WHERE symbol = ${literal(series.symbol)} AND status <> 'void'
       AND ts >= ${literal(iso(fromMs))} AND ts < ${literal(iso(bar.end))} ORDER BY ts`,
  );
  let total = 0n;
  const [highs, lows]: [bigint[], bigint[]] = [[], []];
  for (const minute of minutes) {
    const e8 = (name: string) => parseDecimal(minute[name] ?? '', 8);
    total += e8('delta');
    // A minute without trades has the level before it, which is none of the bar's own.
    if (Number(minute['us']) < bar.at * 1000 || minute['agg_trades'] === '0') continue;
    highs.push(total - e8('close') + e8('high'));
    lows.push(total - e8('close') + e8('low'));
  }
  const text = (units: bigint) => formatDecimal(units, 8);
  const high = highs.reduce((most, one) => (one > most ? one : most));
  const low = lows.reduce((least, one) => (one < least ? one : least));
  return { high: text(high), low: text(low), close: text(total) };
}
