import type { RecentWrites } from '../../ports/backup.ts';
import { int, OF_ANY_SERIES, type Sql, timestamp, toSeries } from './sql.ts';

export function createRecentWrites(sql: Sql): RecentWrites {
  const found = async (table: string, column: string, sinceMs: number) => {
    await sql.waitApplied(table);
    const rows = await sql.query(
      `SELECT ts::long AS time_us, market, symbol FROM ${table} WHERE ${column} >= ${timestamp(sinceMs)} AND ${OF_ANY_SERIES} ` +
        'ORDER BY market, symbol, ts',
    );
    return rows.map((row) => ({ ...toSeries(row), timeMs: int(row, 'time_us') / 1000 }));
  };
  return {
    async hours(sinceMs) {
      const rows = await found('slices', 'fetched_at', sinceMs);
      return rows.map(({ timeMs, ...series }) => ({ ...series, hourMs: timeMs }));
    },
    async days(sinceMs) {
      const rows = await found('bar_days', 'built_at', sinceMs);
      return rows.map(({ timeMs, ...series }) => ({ ...series, dayMs: timeMs }));
    },
  };
}
