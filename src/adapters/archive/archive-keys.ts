import { dailyStem, monthlyStem, parseArchiveName } from '../../domain/archive/archive-name.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { Market, Series } from '../../domain/market.ts';

const FOLDERS: Readonly<Record<Market, string>> = {
  binance_spot: 'data/spot',
  binance_um: 'data/futures/um',
  binance_cm: 'data/futures/cm',
};

type Period = 'daily' | 'monthly';

/** The folder of a series' files in the exchange's tree, with a slash at its end. */
export function folderOf({ market, symbol }: Series, period: Period): string {
  return `${FOLDERS[market]}/${period}/aggTrades/${symbol}/`;
}

export function dailyKey(series: Series, dayMs: number): string {
  return `${folderOf(series, 'daily')}${dailyStem(series.symbol, dayMs)}.zip`;
}

export function monthlyKey(series: Series, monthMs: number): string {
  return `${folderOf(series, 'monthly')}${monthlyStem(series.symbol, monthMs)}.zip`;
}

/** The key of the file with that name; undefined when it is not a name of the series' files. */
export function keyOf(series: Series, name: string): string | undefined {
  const parsed = parseArchiveName(name);
  if (parsed?.symbol !== series.symbol) return undefined;
  const isDaily = parsed.endMs - parsed.startMs === DAY_MS;
  return `${folderOf(series, isDaily ? 'daily' : 'monthly')}${name}`;
}
