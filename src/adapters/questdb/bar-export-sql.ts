import { BAR_EXPORT_COLUMNS, type DataOfBars } from '../../domain/proof/export.ts';
import { tradesContracts, type Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import { ofSeries, timestamp } from './sql.ts';

/** The statement whose answer is a file of exported bars. */
export function barsToExport(
  series: Series,
  { interval, isDouble }: DataOfBars,
  { startMs, endMs }: TimeRange,
): { readonly table: string; readonly query: string } {
  const table = `cdv_exact_${interval}`;
  const columns = BAR_EXPORT_COLUMNS.map(({ name, type }) =>
    isDouble && type === 'decimal' ? `${name}::double AS ${name}` : name,
  );
  const [ts, ...rest] = columns;
  const query =
    `SELECT ${ts}, dateadd('m', ${INTERVAL_MS[interval] / 60_000}, ts) AS ts_end, ${rest.join(', ')}, ` +
    `quote_volume::double / ${baseVolume(series)} AS vwap FROM ${table} ` +
    `WHERE ${ofSeries(series)} AND ts >= ${timestamp(startMs)} AND ts < ${timestamp(endMs)} AND status <> 'void' ORDER BY ts`;
  return { table, query };
}

/** As in the views: contracts are converted with the price of each trade. */
function baseVolume({ market }: Series): string {
  return tradesContracts(market)
    ? '(base_buy_volume + base_sell_volume)'
    : '(buy_volume + sell_volume)::double';
}
