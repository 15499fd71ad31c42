import path from 'node:path';
import type { ExportedData } from '../../domain/proof/export.ts';
import { isoDay } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';

/**
 * The path of a series' export below the folder that the user named, in Hive's layout, which DuckDB, Polars
 * and Spark read as columns: `trades/market=binance_spot/symbol=BTCUSDT`.
 */
export function seriesFolder({ market, symbol }: Series, data: ExportedData): string {
  const kind = data.what === 'trades' ? 'trades' : path.join('bars', `interval=${data.interval}`);
  return path.join(kind, `market=${market}`, `symbol=${symbol}`);
}

/** The path of a day's file relative to the series' folder, with slashes. */
export function dayPath(dayMs: number): string {
  return `day=${isoDay(dayMs)}/part.parquet`;
}
