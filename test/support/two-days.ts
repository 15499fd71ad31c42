import { createSeriesCatalogue } from '../../src/adapters/questdb/series-catalogue.ts';
import { seriesStatements, statementsFor } from '../../src/adapters/questdb/series-schema.ts';
import { tradesTableName, tradesViewName } from '../../src/adapters/questdb/series-names.ts';
import type { Sql } from '../../src/adapters/questdb/sql.ts';
import type { Series } from '../../src/domain/market.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { faultySeries } from '../exchange/data-faults.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import type { TradeSeries } from '../exchange/trade-series.ts';

/** Two whole days, each a partition of its table, and two hours of a third. */
export const DAY = Date.UTC(2024, 2, 5);
export const RANGE = { startMs: DAY, endMs: DAY + 2 * DAY_MS + 2 * HOUR_MS };
export const FROM_TO = ['--from', '2024-03-05', '--to', '2024-03-07T02:00Z'];
export const DAYS = ['2024-03-05', '2024-03-06', '2024-03-07'];

/** The trades of these days: one is invalid, and one lies in the partition before that of its hour. */
export function twoDays(seed: number, tradesPerHour: number): TradeSeries {
  const fromTo = { fromMs: DAY - HOUR_MS, toMs: RANGE.endMs + 2 * HOUR_MS };
  const even = syntheticTrades({ seed, ...fromTo, tradesPerHour });
  const idAt = (timeMs: number, n: number) => even.firstId + even.indexAtTime(timeMs * 1000) + n;
  return faultySeries(even, [
    { kind: 'invalidRow', id: idAt(DAY + HOUR_MS, 7) },
    { kind: 'timeBackwards', id: idAt(DAY + DAY_MS, 3), byMs: 1_200_000 },
  ]);
}

/**
 * Makes the table of a series, by day, as of a busy one. Otherwise the first hour that is stored decides, and an hour
 * has between 0.4 and 1.6 of the mean of its series.
 */
export async function makeTableByDay(sql: Sql, series: Series, originMs: number): Promise<void> {
  const { generation } = await createSeriesCatalogue(sql).pinOrigin(series, originMs);
  const names = { table: tradesTableName(series, generation), view: tradesViewName(series) };
  const statements = statementsFor(await seriesStatements(), { ...series, ...names }, 'DAY');
  for (const statement of statements) await sql.query(statement);
}
