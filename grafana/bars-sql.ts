import { FROM, FROM_DAY, READ_FROM, READ_TO } from './time-range.ts';

/**
 * SQL of bars whose levels count from the chosen anchor. Variables: $market, $symbol, $anchor; the hidden
 * ones of variables.ts: $step (a bar's length), $base (the table it is read from), $grid_zone and
 * $grid_start (where bars of a day begin).
 *
 * Every anchor is the continuous level less a constant: the level before the first bar that counts.
 */

const GRID = "ALIGN TO CALENDAR TIME ZONE '$grid_zone' WITH OFFSET '$grid_start'";

/** `'$market'` or a market's own name in quotes. */
function ofSeries(market: string): string {
  return `market = ${market} AND symbol = '$symbol' AND ts >= ${READ_FROM} AND ts < ${READ_TO}`;
}

/** Bars with the same number count from the same anchor. */
const EPOCH = `CASE
    WHEN '$anchor' IN ('day', 'session') THEN timestamp_floor('1d', ts, null, '$grid_start', '$grid_zone')::long
    WHEN ts < CASE WHEN '$anchor' = 'visible' THEN ${FROM} ELSE ${FROM_DAY} END THEN 0 ELSE 1 END`;

/**
 * Stored bars, or longer ones on a session's grid. Absent bars between the first and the last are rows of
 * NULL, so that lines break. `state`: 0 final, 1 partial, 2 forming. As SPEC.md says, silent bars don't
 * count into open, high and low of a longer one unless all are silent.
 */
function gridBars(market: string): string {
  return `SELECT ts, first_not_null(CASE WHEN agg_trades > 0 THEN open END) traded_open, first(open) silent_open,
      max(CASE WHEN agg_trades > 0 THEN high END) traded_high, max(high) silent_high,
      min(CASE WHEN agg_trades > 0 THEN low END) traded_low, min(low) silent_low,
      last(close) close, sum(delta) delta, sum(buy_volume) buy_volume, sum(sell_volume) sell_volume,
      first_not_null(price_open) price_open, max(price_high) price_high,
      min(price_low) price_low, last_not_null(price_close) price_close,
      max(CASE status WHEN 'final' THEN 0 WHEN 'forming' THEN 2 ELSE 1 END) state
    FROM (
      SELECT * FROM cdv_\${base}_total
      WHERE ${ofSeries(market)}
    )
    SAMPLE BY $step FILL(NULL) ${GRID}`;
}

function anchoredBars(market: string): string {
  return `SELECT *, CASE WHEN '$anchor' = 'continuous' THEN 0.0 ELSE
      first_value(close - delta) IGNORE NULLS OVER (PARTITION BY epoch ORDER BY ts) END zero
  FROM (
    SELECT ts, ${EPOCH} epoch,
      coalesce(traded_open, silent_open) open, coalesce(traded_high, silent_high) high,
      coalesce(traded_low, silent_low) low, close, delta, buy_volume, sell_volume,
      price_open, price_high, price_low, price_close, state
    FROM (
    ${gridBars(market)}
    )
  )`;
}

/** Bars of the range by time: `columns` of what anchoredBars gives; `zero` is to be taken from levels. */
export function barsSql(columns: string, market = "'$market'"): string {
  return `SELECT ts AS time, ${columns}
FROM (
  ${anchoredBars(market)}
)
WHERE $__timeFilter(ts)
ORDER BY ts`;
}

/** How many bars of the range are what. Absent ones are counted between the first and the last. */
export const BAR_COUNTS = `SELECT count(state) AS bars, sum(CASE WHEN state = 0 THEN 1 ELSE 0 END) AS proven,
  sum(CASE WHEN state = 1 THEN 1 ELSE 0 END) AS unproven, sum(CASE WHEN state = 2 THEN 1 ELSE 0 END) AS forming,
  count() - count(state) AS absent
FROM (
  ${gridBars("'$market'")}
)
WHERE $__timeFilter(ts)`;

/**
 * Each size tier's own CDV, as three columns that become one line a tier. They add up to the CDV of all
 * trades. Tiers have no stored continuous level: whole days since the origin come from tiers_1d.
 */
export const TIERS = `SELECT ts AS time, concat('from ', tier) AS metric, level AS value
FROM (
  SELECT ts, tier, CASE WHEN delta IS NOT NULL THEN
    sum(delta) OVER (PARTITION BY epoch, tier ORDER BY ts) + coalesce(before, 0.0) END level
  FROM (
    SELECT b.ts, b.tier, b.delta, before, ${EPOCH.replaceAll(/\bts\b/g, 'b.ts')} epoch
    FROM (
      SELECT ts, tier, sum(delta) delta
      FROM (
        SELECT ts, tier, delta FROM tiers_\${tier_base}
        WHERE ${ofSeries("'$market'")}
      )
      SAMPLE BY $step FILL(NULL) ${GRID}
    ) b
    LEFT JOIN (
      SELECT d.tier, sum(CASE WHEN d.ts >= s.origin AND d.ts < ${FROM_DAY} THEN d.delta
        WHEN d.ts < s.origin AND d.ts >= ${FROM_DAY} THEN -d.delta ELSE 0.0 END) before
      FROM tiers_1d d ASOF JOIN series s ON (market, symbol)
      WHERE '$anchor' = 'continuous' AND d.market = '$market' AND d.symbol = '$symbol'
    ) c ON tier
  )
)
WHERE $__timeFilter(ts)
ORDER BY ts, tier`;
