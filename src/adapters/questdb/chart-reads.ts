import { hash } from 'node:crypto';
import type { Verdict } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { RestatementRow } from '../../ports/bar-store.ts';
import type { ChartReads } from '../../ports/chart-data.ts';
import { createBarFields } from './bar-fields.ts';
import { barsStatement } from './bars-sql.ts';
import { UNFINISHED } from './bar-store.ts';
import {
  IN_RANGE,
  int,
  OF_ANY_SERIES,
  OF_SERIES,
  ofSeries,
  optionalInt,
  seriesParameters,
  type Sql,
  text,
  type TextRow,
  timestamp,
  toSeries,
} from './sql.ts';

export function createChartReads(sql: Sql): ChartReads {
  async function rowsOf(table: string, columns: string, series: Series, range: TimeRange) {
    await sql.waitApplied(table);
    return sql.query(
      `SELECT ts::long AS at_us, ${columns} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} ORDER BY ts`,
      seriesParameters(series, range),
    );
  }

  return {
    barsStatement,
    seriesStatement: SERIES,
    gapsStatement,
    eachBar: createBarFields(sql),
    async judgedHours(series, range) {
      await sql.waitApplied('slices');
      const from = `verdict, missing FROM coverage WHERE ${within(series, range)} ORDER BY ts`;
      const rows = await sql.query(`SELECT ts::long AS hour_us, ${from}`);
      const hours = rows.map((row) => ({
        hourMs: int(row, 'hour_us') / 1000,
        verdict: text(row, 'verdict') as Verdict,
        missing: optionalInt(row, 'missing'),
      }));
      return { rows: hours, sql: `SELECT ts, ${from}` };
    },
    async builtSince(timeUs) {
      const rows = await sql.query(
        'SELECT market, symbol, ts::long AS day_us, built_at::long AS built_us FROM bar_days ' +
          `WHERE built_at >= cast($1 AS long)::timestamp AND layout <> $2 AND ${OF_ANY_SERIES}`,
        [timeUs, UNFINISHED],
      );
      return rows.map((row) => ({
        ...toSeries(row),
        dayMs: int(row, 'day_us') / 1000,
        builtUs: int(row, 'built_us'),
      }));
    },
    async restatements(series, range) {
      const columns = 'what, old_level, new_level, reason, seen_at';
      const rows = await rowsOf('restatements', `${columns}::long AS seen_us`, series, range);
      const restatements = rows.map((row): RestatementRow => ({
        hourMs: int(row, 'at_us') / 1000,
        what: row['what'] === 'anchor' ? 'anchor' : 'bars',
        oldLevel: row['old_level'] ?? undefined,
        newLevel: row['new_level'] ?? undefined,
        reason: text(row, 'reason'),
        seenAtMs: int(row, 'seen_us') / 1000,
      }));
      const from = `FROM restatements WHERE ${within(series, range)} ORDER BY ts`;
      return { rows: restatements, sql: `SELECT ts, ${columns} ${from}` };
    },
    async buildsDigest(series, days) {
      const rows = await rowsOf('bar_days', 'built_at::long AS built_us, layout', series, days);
      return rows.some(({ layout }) => layout === UNFINISHED) ? undefined : digestOf(rows);
    },
    basesDigest: async (series, days) =>
      digestOf(await rowsOf('anchors', 'base, missing, origin::long AS origin_us', series, days)),
    hoursDigest: async (series, hours) =>
      digestOf(await rowsOf('slices', HOUR_FACTS, series, hours)),
  };
}

/** Statements for others have no parameters. */
function within(series: Series, { startMs, endMs }: TimeRange): string {
  return `${ofSeries(series)} AND ts >= ${timestamp(startMs)} AND ts < ${timestamp(endMs)}`;
}

function gapsStatement(series: Series, range: TimeRange): string {
  return (
    `SELECT ts, class, from_id, to_id, evidence, seen_at FROM gaps WHERE ${within(series, range)} ` +
    'AND resolved_at IS NULL ORDER BY ts, from_id'
  );
}

const SERIES = `SELECT market, symbol, min(ts) first_hour, max(ts) last_hour, sum(rows) agg_trades,
  sum(CASE WHEN verdict = 'proven' THEN 1 ELSE 0 END) proven, sum(CASE WHEN verdict = 'open' THEN 1 ELSE 0 END) open,
  sum(CASE WHEN verdict = 'gap' THEN 1 ELSE 0 END) gap, datediff('h', min(ts), max(ts)) + 1 - count() unknown
FROM coverage ORDER BY market, symbol`;

/** What decides whether an hour is proven, and how many of its ids are missing. */
const HOUR_FACTS =
  'rows, first_id, last_id, prev_id, prev_ts::long AS prev_us, next_id, next_ts::long AS next_us, ' +
  'ended_at::long AS ended_us, content_hash';

function digestOf(rows: readonly TextRow[]): string {
  const text = JSON.stringify(rows.map((row) => Object.values(row)));
  return hash('sha256', text, 'base64url');
}
