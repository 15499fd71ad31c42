import {
  CustomVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS, type Interval } from '../src/domain/time/interval.ts';
import type { SqlSource } from './data-source.ts';
import { FROM } from './time-range.ts';

/** The most bars that a panel draws: a screen can't show more, and browsers become slow. */
export const MAX_BARS = 2_000;

const ZONES = ['UTC', 'America/New_York', 'America/Chicago', 'Europe/London', 'Europe/Berlin'];
const EASTERN_ZONES = ['Asia/Dubai', 'Asia/Kolkata', 'Asia/Hong_Kong', 'Asia/Tokyo'];

export function queried(source: SqlSource, name: string, sql: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .datasource(source.ref)
    .query(sql)
    .refresh(VariableRefresh.OnTimeRangeChanged);
}

export function marketAndSymbol(source: SqlSource): QueryVariableBuilder[] {
  return [
    queried(
      source,
      'market',
      'SELECT DISTINCT market FROM series WHERE origin IS NOT NULL ORDER BY market',
    ).label('Market'),
    queried(
      source,
      'symbol',
      "SELECT DISTINCT symbol FROM series WHERE market = '$market' AND origin IS NOT NULL ORDER BY symbol",
    ).label('Symbol'),
  ];
}

/** Variables for several markets and symbols, or all. */
export function marketsAndSymbols(source: SqlSource): QueryVariableBuilder[] {
  const both = [
    queried(
      source,
      'market',
      'SELECT DISTINCT market FROM series WHERE origin IS NOT NULL ORDER BY market',
    ).label('Market'),
    queried(
      source,
      'symbol',
      'SELECT DISTINCT symbol FROM series WHERE market IN ($market) AND origin IS NOT NULL ORDER BY symbol',
    ).label('Symbol'),
  ];
  const all = { selected: true, text: ['All'], value: ['$__all'] };
  return both.map((variable) => variable.multi(true).includeAll(true).current(all));
}

/** The user's choices. The interval is the shortest one to use: long ranges get longer bars. */
export function barChoices(): (CustomVariableBuilder | TextBoxVariableBuilder)[] {
  return [
    choice('interval', 'Interval', ['auto', ...INTERVALS]),
    choice('anchor', 'CDV counts from', [
      'Visible range : visible',
      'UTC day : day',
      'Session : session',
      'Origin (continuous) : continuous',
    ]),
    choice('session_zone', 'Session zone', [...ZONES, ...EASTERN_ZONES]),
    new TextBoxVariableBuilder('session_start').label('Session start').defaultValue('00:00'),
  ];
}

/** @param options `text : value`, or one word for both; the first is the default */
function choice(name: string, label: string, options: readonly string[]): CustomVariableBuilder {
  const [first = ''] = options;
  const [text = '', value = text] = first.split(' : ');
  return new CustomVariableBuilder(name)
    .label(label)
    .values(options.join(','))
    .current({ selected: true, text, value });
}

/** Hidden variables that are computed from the choices and the range; see bars-sql.ts. */
export function derivedVariables(source: SqlSource): QueryVariableBuilder[] {
  const hidden: readonly (readonly [name: string, sql: string])[] = [
    ['step', STEP],
    ['grid_zone', whenSession("'$session_zone'", "'UTC'")],
    ['grid_start', whenSession("'$session_start'", "'00:00'")],
    ['base', BASE],
    ['tier_base', TIER_BASE],
  ];
  return hidden.map(([name, sql]) => queried(source, name, sql).hide(VariableHide.HideVariable));
}

function whenSession(session: string, otherwise: string): string {
  return `SELECT CASE WHEN '$anchor' = 'session' THEN ${session} ELSE ${otherwise} END FROM long_sequence(1)`;
}

/** The shortest interval that is not below the chosen one and gives at most MAX_BARS bars. */
const STEP = `SELECT CASE ${cases(INTERVALS, (interval) => `ms <= ${INTERVAL_MS[interval]}`)} ELSE '1d' END
FROM (
  SELECT greatest(($__to - $__from) / ${MAX_BARS}, CASE ${INTERVALS.map(
    (interval) => `WHEN '$interval' = '${interval}' THEN ${INTERVAL_MS[interval]}`,
  ).join(' ')} ELSE 0 END) ms
  FROM long_sequence(1)
)`;

const STEP_MS = `CASE ${INTERVALS.map((interval) => `WHEN '$step' = '${interval}' THEN ${INTERVAL_MS[interval]}`).join(' ')} END`;

/**
 * Minutes past the UTC hour at which a session begins: 0, 30 in half-hour zones, or what the user chose.
 */
const MINUTE = `minute(to_utc(timestamp_floor('1d', ${FROM}, null, '$grid_start', '$grid_zone'), '$grid_zone'))`;

/** Longest first: a session's bars are composed of the longest stored bars that cross no border of it. */
const PARTS = INTERVALS.filter((interval) => INTERVAL_MS[interval] <= HOUR_MS).toReversed();

const fits = (interval: Interval): string =>
  `step % ${INTERVAL_MS[interval]} = 0 AND start % ${INTERVAL_MS[interval] / MINUTE_MS} = 0`;

const BASE = `SELECT CASE WHEN '$anchor' <> 'session' THEN '$step' ${cases(PARTS, fits)} END
FROM (SELECT ${STEP_MS} step, ${MINUTE} start FROM long_sequence(1))`;

/** Tiers are stored at 1m, 1h and 1d. */
const TIER_BASE = `SELECT CASE WHEN '$anchor' <> 'session' AND step = ${DAY_MS} THEN '1d' ${cases(['1h'], fits)} ELSE '1m' END
FROM (SELECT ${STEP_MS} step, ${MINUTE} start FROM long_sequence(1))`;

function cases(intervals: readonly Interval[], condition: (interval: Interval) => string): string {
  return intervals.map((interval) => `WHEN ${condition(interval)} THEN '${interval}'`).join(' ');
}
