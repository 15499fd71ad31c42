import {
  VisibilityMode,
  StackingConfigBuilder,
  StackingMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatusHistoryBuilder } from '@grafana/grafana-foundation-sdk/statushistory';
import { dashboard, type Part } from './dashboard.ts';
import type { SqlSource } from './data-source.ts';
import { bars, headed, table } from './panels.ts';
import { FROM_DAY, TO_DAY_END } from './time-range.ts';
import { marketsAndSymbols } from './variables.ts';

const CHOSEN = 'market IN ($market) AND symbol IN ($symbol)';
/** Whole days only: a day that the range cuts would look incomplete. */
const IN_DAYS = `ts >= ${FROM_DAY} AND ts < ${TO_DAY_END}`;

/**
 * Each day from a series' first to its last: 2 if all 24 hours are proven; 0 if an hour has a gap or no hour is
 * recorded; 1 otherwise, as on a day that has not ended.
 */
const DAYS = `SELECT d.ts AS time, concat(d.symbol, ' ', d.market) AS metric,
  CASE WHEN d.gaps > 0 OR d.hours = 0 THEN 0 WHEN d.proven = 24 THEN 2 ELSE 1 END AS value
FROM (
  SELECT ts, market, symbol, count() hours, sum(CASE verdict WHEN 'proven' THEN 1 ELSE 0 END) proven,
    sum(CASE verdict WHEN 'gap' THEN 1 ELSE 0 END) gaps
  FROM (
    SELECT ts, market, symbol, verdict FROM coverage
    WHERE ${CHOSEN} AND ${IN_DAYS}
  )
  SAMPLE BY 1d FILL(0, 0, 0) ALIGN TO CALENDAR
) d JOIN (
  SELECT market, symbol, min(ts) first_day, max(ts) last_day FROM bar_days
  WHERE ${CHOSEN}
) s ON (market, symbol)
WHERE d.ts >= s.first_day AND d.ts <= s.last_day
ORDER BY d.ts, metric`;

const SERIES = `SELECT market, symbol, min(ts) AS first_hour, max(ts) AS last_hour,
  sum(CASE verdict WHEN 'proven' THEN 1 ELSE 0 END) AS proven, sum(CASE verdict WHEN 'open' THEN 1 ELSE 0 END) AS open,
  sum(CASE verdict WHEN 'gap' THEN 1 ELSE 0 END) AS gap,
  datediff('h', min(ts), max(ts)) + 1 - count() AS absent, sum(rows) AS trades
FROM coverage
WHERE ${CHOSEN} AND $__timeFilter(ts)
ORDER BY market, symbol`;

const GAPS = `SELECT ts AS hour, market, symbol, class, from_id, to_id, to_id - from_id AS ids, evidence, seen_at, resolved_at
FROM gaps
WHERE ${CHOSEN} AND $__timeFilter(ts)
ORDER BY ts DESC
LIMIT 1000`;

const SOURCES = `SELECT ts AS time, source AS metric, count() AS value
FROM slices
WHERE ${CHOSEN} AND ${IN_DAYS}
SAMPLE BY 1d ALIGN TO CALENDAR`;

const FILES = `SELECT ts AS day, market, symbol, name, verdict, evidence, bytes, sha256, seen_at
FROM archive_files
WHERE ${CHOSEN} AND ${IN_DAYS} AND verdict <> 'whole'
ORDER BY ts DESC
LIMIT 1000`;

export function coverage(source: SqlSource): Dashboard {
  return dashboard({
    uid: 'cdvault-coverage',
    title: 'Coverage',
    description: 'Which hours are stored, which are proven, and which are not.',
    time: { from: 'now-30d', to: 'now' },
    refresh: '5m',
    variables: marketsAndSymbols(source),
    panels: [days(source), series(source), gaps(source), sources(source), files(source)],
  });
}

function days(source: SqlSource): Part {
  const states = [
    { value: 0, text: 'gap', color: 'red' },
    { value: 1, text: 'incomplete', color: 'orange' },
    { value: 2, text: 'proven', color: 'green' },
  ];
  const head = {
    title: 'Days',
    description:
      'Green: all 24 hours are proven. Red: an hour has a gap, or no hour is recorded. Amber: neither, as on a day that has not ended. Nothing is drawn before the first day and after the last one.',
    height: 10,
  };
  return headed(new StatusHistoryBuilder(), head)
    .datasource(source.ref)
    .withTarget(source.query(DAYS, 'time_series'))
    .showValue(VisibilityMode.Never)
    .colWidth(0.95)
    .fillOpacity(85)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(
          states.map(({ value, color }, index) => ({ value: index === 0 ? null : value, color })),
        ),
    )
    .mappings([
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(
          states.map(({ value, text, color }, index) => [value, { text, color, index }]),
        ),
      },
    ]);
}

function series(source: SqlSource): Part {
  const description =
    'Hours of the range by verdict. Absent: hours without a row in the ledger, between the first and the last hour.';
  return table(source, { title: 'Hours by series', description, height: 8 }, SERIES);
}

function gaps(source: SqlSource): Part {
  const description =
    'The newest 1,000 in the range, with their evidence. Halts and jumps of raw ids do not change a verdict.';
  return table(source, { title: 'Gaps and anomalies', description, height: 10 }, GAPS);
}

function sources(source: SqlSource): Part {
  const head = {
    title: 'Hours by source',
    description: 'The source of the hours of each day.',
    height: 8,
    width: 12,
  };
  return bars(source, head, SOURCES).stacking(
    new StackingConfigBuilder().mode(StackingMode.Normal).group('A'),
  );
}

function files(source: SqlSource): Part {
  const head = {
    title: 'Archive files with problems',
    description: 'Problems found when the files were read; the newest 1,000 in the range.',
    height: 8,
    width: 12,
  };
  return table(source, head, FILES);
}
