import { INTERVAL_MS, INTERVALS } from '../src/domain/time/interval.ts';
import { DAY_MS } from '../src/domain/time/hour.ts';
import { FROM, FROM_DAY, READ_FROM, READ_TO } from './time-range.ts';

/**
 * SQL of bars whose levels count from the chosen anchor. Variables: $market, $symbol, $anchor; and the hidden
 * ones of variables.ts: $step (a bar's length), $base (the stored bars of which it is composed), $grid_zone and
 * $grid_start (where the bars of a day begin).
 *
 * The level from an anchor is the continuous level minus a constant: the level before the first bar that counts.
 *
 * Bars of a time zone do not use SAMPLE BY … ALIGN TO CALENDAR TIME ZONE: on the day when clocks go back,
 * QuestDB 9.3.4 merges some bars, moves others and invents some.
 */

/** `$step` or `$base` in microseconds. */
function lengthUs(variable: string, dayMs = DAY_MS): string {
  const cases = INTERVALS.map((interval) => {
    const ms = interval === '1d' ? dayMs : INTERVAL_MS[interval];
    return `WHEN '${interval}' THEN ${ms * 1000}L`;
  });
  return `CASE '${variable}' ${cases.join(' ')} END`;
}

/** A session's day has up to 25 hours. With a length of two days, a daily bar ends with its session. */
const STEP_US = lengthUs('$step', 2 * DAY_MS);
const BASE_US = lengthUs('$base');

/** The start of the session in local time and in UTC. A UTC day counts as a session, too. */
const LOCAL_BEGIN = "timestamp_floor('1d', ts, null, '$grid_start', '$grid_zone')";
const BEGIN_US = `to_utc(${LOCAL_BEGIN}, '$grid_zone')::long`;
const NEXT_BEGIN_US = `to_utc(dateadd('d', 1, ${LOCAL_BEGIN}), '$grid_zone')::long`;

/** `'$market'` or a market's own name in quotes. */
function ofSeries(market: string): string {
  return `market = ${market} AND symbol = '$symbol' AND ts >= ${READ_FROM} AND ts < ${READ_TO}`;
}

/** The grid's bar, from `bar` to `bar_end` in microseconds, to which a stored bar belongs. */
const ON_GRID = `begin + (ts::long - begin) / ${STEP_US} * ${STEP_US} bar,
      least(begin + (ts::long - begin) / ${STEP_US} * ${STEP_US} + ${STEP_US}, next_begin) bar_end`;

/** Bars with the same number count from the same anchor. */
const EPOCH = `CASE WHEN '$anchor' IN ('day', 'session') THEN ${BEGIN_US}
      WHEN ts < CASE WHEN '$anchor' = 'visible' THEN ${FROM} ELSE ${FROM_DAY} END THEN 0L ELSE 1L END`;

/**
 * The grid's bars, computed from stored ones. Absent bars between the first and the last are rows of NULL, so
 * that lines break. `state`: 0 final, 1 not proven, 2 forming. As SPEC.md requires, silent bars do not affect
 * open, high and low of a longer bar unless all are silent.
 */
function gridBars(market: string): string {
  return `SELECT bar::timestamp ts, arg_min(open, traded_ts) traded_open, arg_min(open, known_ts) silent_open,
      max(CASE WHEN agg_trades > 0 THEN high END) traded_high, max(high) silent_high,
      min(CASE WHEN agg_trades > 0 THEN low END) traded_low, min(low) silent_low,
      arg_max(close, known_ts) close, sum(delta) delta, sum(buy_volume) buy_volume, sum(sell_volume) sell_volume,
      arg_min(price_open, traded_ts) price_open, max(price_high) price_high,
      min(price_low) price_low, arg_max(price_close, traded_ts) price_close,
      CASE WHEN count(known_ts) = 0 THEN null
        WHEN max(unproven) = 0 AND count(known_ts) * ${BASE_US} = bar_end - bar THEN 0
        WHEN bar_end > now()::long THEN 2 ELSE 1 END state
    FROM (
      SELECT *, ${ON_GRID},
        CASE WHEN unproven IS NOT NULL THEN ts END known_ts, CASE WHEN agg_trades > 0 THEN ts END traded_ts
      FROM (
        SELECT *, ${BEGIN_US} begin, ${NEXT_BEGIN_US} next_begin
        FROM (
          SELECT ts, first(open) open, first(high) high, first(low) low, first(close) close, first(delta) delta,
            first(buy_volume) buy_volume, first(sell_volume) sell_volume, first(agg_trades) agg_trades,
            first(price_open) price_open, first(price_high) price_high, first(price_low) price_low,
            first(price_close) price_close, first(unproven) unproven
          FROM (
            SELECT *, CASE status WHEN 'final' THEN 0 ELSE 1 END unproven FROM cdv_\${base}_total
            WHERE ${ofSeries(market)}
          )
          SAMPLE BY $base FILL(NULL) ALIGN TO CALENDAR
        )
      )
    )
    GROUP BY bar, bar_end`;
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
    ORDER BY ts
  )`;
}

/**
 * Bars of the range, ordered by time.
 * @param columns SQL over the columns of anchoredBars; levels must subtract `zero`
 */
export function barsSql(columns: string, market = "'$market'"): string {
  return `SELECT ts AS time, ${columns}
FROM (
  ${anchoredBars(market)}
)
WHERE $__timeFilter(ts)
ORDER BY ts`;
}

/** Number of bars in the range by state. Absent bars are counted between the first and the last. */
export const BAR_COUNTS = `SELECT sum(CASE WHEN state = 0 THEN 1 ELSE 0 END) AS proven,
  sum(CASE WHEN state = 1 THEN 1 ELSE 0 END) AS unproven, sum(CASE WHEN state = 2 THEN 1 ELSE 0 END) AS forming,
  count() - count(state) AS absent
FROM (
  ${gridBars("'$market'")}
)
WHERE $__timeFilter(ts)`;

/**
 * The CDV of each size tier, as three columns that become one line for each tier. They add up to the CDV of all
 * trades. Tiers have no stored continuous level: the sum of whole days since the origin comes from tiers_1d.
 */
export const TIERS = `SELECT ts AS time, concat('from ', tier) AS metric, level AS value
FROM (
  SELECT ts, tier, CASE WHEN delta IS NOT NULL THEN
    sum(delta) OVER (PARTITION BY epoch, tier ORDER BY ts) + coalesce(before, 0.0) END level
  FROM (
    SELECT b.ts, b.tier, b.delta, b.epoch, c.before
    FROM (
      SELECT ts, tier, delta, ${EPOCH} epoch
      FROM (
        SELECT bar::timestamp ts, tier, sum(delta) delta
        FROM (
          SELECT ts, tier, delta, ${ON_GRID}
          FROM (
            SELECT ts, tier, delta, ${BEGIN_US} begin, ${NEXT_BEGIN_US} next_begin
            FROM (
              SELECT ts, tier, first(delta) delta
              FROM (
                SELECT ts, tier, delta FROM tiers_\${tier_base}
                WHERE ${ofSeries("'$market'")}
              )
              SAMPLE BY \${tier_base} FILL(NULL) ALIGN TO CALENDAR
            )
          )
        )
        GROUP BY bar, tier
      )
    ) b
    LEFT JOIN (
      SELECT d.tier, sum(CASE WHEN d.ts >= s.origin AND d.ts < ${FROM_DAY} THEN d.delta
        WHEN d.ts < s.origin AND d.ts >= ${FROM_DAY} THEN -d.delta ELSE 0.0 END) before
      FROM tiers_1d d ASOF JOIN series s ON (market, symbol)
      WHERE '$anchor' = 'continuous' AND d.market = '$market' AND d.symbol = '$symbol'
    ) c ON tier
    ORDER BY b.ts
  )
)
WHERE $__timeFilter(ts)
ORDER BY ts, tier`;
