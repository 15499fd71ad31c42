import { DAY_MS, floorTo, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import type { PrunedDay, Prunings } from '../../ports/prunings.ts';
import {
  IN_RANGE,
  int,
  OF_SERIES,
  seriesParameters,
  seriesValues,
  type Sql,
  timestamp,
} from './sql.ts';

export function createPrunings(sql: Sql): Prunings {
  const write = async (series: Series, days: readonly PrunedDay[], fetchedAgainMs?: number) => {
    if (days.length === 0) return;
    const again = fetchedAgainMs === undefined ? 'NULL' : timestamp(fetchedAgainMs);
    const rows = days.map(
      ({ dayMs, rows: count, prunedAtMs }) =>
        `(${timestamp(dayMs)}, ${seriesValues(series)}, ${count}, ${timestamp(prunedAtMs)}, ${again})`,
    );
    await sql.query(`INSERT INTO prunings VALUES ${rows.join(', ')}`);
    await sql.waitApplied('prunings');
  };
  return {
    days: async (series, range) => prunedDays(sql, series, range),
    record: async (series, days) => write(series, days),
    fetchedAgain: async (series, days, nowMs) => write(series, days, nowMs),
  };
}

/** @param range default: all time */
export async function prunedDays(
  sql: Sql,
  series: Series,
  range?: TimeRange,
): Promise<readonly PrunedDay[]> {
  await sql.waitApplied('prunings');
  const whole =
    range === undefined ? undefined : { ...range, startMs: floorTo(range.startMs, DAY_MS) };
  const rows = await sql.query(
    'SELECT ts::long AS day_us, rows, pruned_at::long AS pruned_us FROM prunings ' +
      `WHERE ${OF_SERIES}${whole === undefined ? '' : ` AND ${IN_RANGE}`} AND fetched_again_at IS NULL ORDER BY ts`,
    seriesParameters(series, whole),
  );
  return rows.map((row) => ({
    dayMs: int(row, 'day_us') / 1000,
    rows: int(row, 'rows'),
    prunedAtMs: int(row, 'pruned_us') / 1000,
  }));
}
