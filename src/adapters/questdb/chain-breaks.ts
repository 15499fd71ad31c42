import type { Series } from '../../domain/market.ts';
import type { ChainBreak } from '../../ports/bar-store.ts';
import { int, OF_SERIES, seriesParameters, type Sql, toSeries } from './sql.ts';

/**
 * The first midnight of each series whose stored base does not follow from the stored day before it, for
 * series that have such a midnight. midnightBases() adds day to day: where each step is right, so are all
 * bases. 200 series of three years take the server 0.5 CPU seconds, one of them 0.02.
 * @param series default: all
 */
export async function chainBreaks(sql: Sql, series?: Series): Promise<ChainBreak[]> {
  for (const table of ['series', 'bar_days', 'anchors']) await sql.waitApplied(table);
  const rows = await sql.query(
    breaksSql(series),
    series === undefined ? [] : seriesParameters(series),
  );
  return rows.map((row) => {
    const [dayMs, fromMs] = [int(row, 'day_us') / 1000, int(row, 'from_us') / 1000];
    return {
      ...toSeries(row),
      dayMs,
      beforeMs: fromMs < dayMs ? fromMs : undefined,
    };
  });
}

/** Ids between a stored day `p` and the next one, `d`. */
const BETWEEN = '(CASE WHEN d.id_start > p.id_end THEN d.id_start - p.id_end ELSE 0L END)';

/** The base of `d` is that of `p` and its delta, on both sides of the origin; missing ids count away from it. */
const ADDS_UP = 'db.base = pb.base + p.delta';
const AFTER_ORIGIN = `${ADDS_UP} AND db.missing = pb.missing + p.missing + ${BETWEEN}`;
const BEFORE_ORIGIN =
  `(d.prev IS NULL OR (${ADDS_UP} AND pb.missing = db.missing + p.missing + ${BETWEEN})) ` +
  'AND (d.next IS NOT NULL OR (db.base + d.delta = 0m AND db.missing IS NULL))';
const AT_ORIGIN =
  'db.base = 0m AND db.missing = (CASE WHEN d.level_from = s.origin THEN 0L END) ' +
  'AND (d.prev IS NULL OR (pb.base + p.delta = 0m AND ' +
  `pb.missing = (CASE WHEN d.ts = s.origin THEN 0L END) + p.missing + ${BETWEEN}))`;

/**
 * `d` is each stored day, `p` the one before it, `db` and `pb` are their bases. In QuestDB a sum with NULL is
 * NULL and NULL = NULL is true: an unknown number of missing ids stays unknown.
 */
function breaksSql(series: Series | undefined): string {
  const only = series === undefined ? '' : ` WHERE ${OF_SERIES}`;
  const window = 'OVER (PARTITION BY market, symbol ORDER BY ts)';
  const at = (name: string, time: string) =>
    `ON ${name}.market = d.market AND ${name}.symbol = d.symbol AND ${name}.ts = ${time}`;
  return (
    'SELECT market, symbol, min(day)::long AS day_us, min(since)::long AS from_us FROM (' +
    'SELECT d.market AS market, d.symbol AS symbol, d.ts AS day, coalesce(d.prev, d.ts) AS since ' +
    `FROM (SELECT ts, market, symbol, delta, id_start, level_from, lag(ts) ${window} AS prev, lead(ts) ${window} AS next FROM bar_days${only}) d ` +
    `JOIN (SELECT market, symbol, origin FROM series${only}) s ON s.market = d.market AND s.symbol = d.symbol ` +
    `LEFT JOIN (SELECT ts, market, symbol, delta, missing, id_end FROM bar_days${only}) p ${at('p', 'd.prev')} ` +
    `LEFT JOIN (SELECT ts, market, symbol, base, missing FROM anchors${only}) db ${at('db', 'd.ts')} ` +
    `LEFT JOIN (SELECT ts, market, symbol, base, missing FROM anchors${only}) pb ${at('pb', 'd.prev')} ` +
    `WHERE NOT (CASE WHEN d.ts < s.origin THEN ${BEFORE_ORIGIN} ` +
    `WHEN d.prev >= s.origin THEN ${AFTER_ORIGIN} ELSE ${AT_ORIGIN} END)) GROUP BY market, symbol`
  );
}
