import type { Verdict } from '../../domain/proof/ledger.ts';
import type { ChartReads } from '../../ports/chart-data.ts';
import { IN_RANGE, int, OF_SERIES, optionalInt, seriesParameters, type Sql, text } from './sql.ts';

export function createChartReads(sql: Sql): ChartReads {
  return {
    async judgedHours(series, range) {
      await sql.waitApplied('slices');
      const rows = await sql.query(
        `SELECT ts::long AS hour_us, verdict, missing FROM coverage WHERE ${OF_SERIES} AND ${IN_RANGE} ORDER BY ts`,
        seriesParameters(series, range),
      );
      return rows.map((row) => ({
        hourMs: int(row, 'hour_us') / 1000,
        verdict: text(row, 'verdict') as Verdict,
        missing: optionalInt(row, 'missing'),
      }));
    },
  };
}
