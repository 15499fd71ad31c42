import {
  type Dashboard,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { StackingConfigBuilder, StackingMode } from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { dashboard, type Part } from './dashboard.ts';
import type { SqlSource } from './data-source.ts';
import { bars, type Head, headed, table } from './panels.ts';

/**
 * By the time of fetching, by which the ledger is not ordered: each query reads one column of every row, 24 rows
 * for each day and series.
 */
const ROWS = `SELECT ts AS time, sum(rows) * 1000.0 / $__interval_ms AS "rows/s"
FROM (SELECT fetched_at ts, rows FROM slices WHERE market IS NOT NULL AND $__timeFilter(fetched_at) ORDER BY fetched_at) TIMESTAMP(ts)
SAMPLE BY $__interval`;

const VERDICTS = `SELECT ts AS time, metric, count() AS value
FROM (SELECT fetched_at ts, verdict metric FROM coverage WHERE $__timeFilter(fetched_at) ORDER BY fetched_at) TIMESTAMP(ts)
SAMPLE BY $__interval`;

const LAG = `SELECT s.market, s.symbol, s.scheduled_from, dateadd('h', 1, c.newest) AS proven_until,
  datediff('m', dateadd('h', 1, c.newest), now()) / 60.0 AS lag_hours
FROM series s LEFT JOIN (
  SELECT market, symbol, max(ts) newest FROM coverage WHERE verdict = 'proven'
) c ON (market, symbol)
WHERE s.origin IS NOT NULL
ORDER BY lag_hours DESC`;

const OPEN_GAPS = `SELECT market, symbol, class, count() AS hours, max(seen_at) AS last_seen
FROM gaps
WHERE market IS NOT NULL AND resolved_at IS NULL
ORDER BY hours DESC
LIMIT 1000`;

const RESTATEMENTS = `SELECT seen_at, market, symbol, ts AS level_of, what, old_level::double AS old_level, new_level::double AS new_level, reason
FROM restatements
WHERE market IS NOT NULL AND $__timeFilter(seen_at)
ORDER BY seen_at DESC
LIMIT 1000`;

const EXCHANGE = `SELECT market, egress, weight_limit, window_ms, limits_at,
  CASE WHEN banned_until > now() THEN banned_until END AS banned_until
FROM exchange_state
ORDER BY market, egress`;

const TABLES = `SELECT w.name, w.suspended, w.sequencerTxn - w.writerTxn AS pending, w.errorTag AS error_tag,
  w.errorMessage AS error, t.table_row_count AS rows
FROM wal_tables() w JOIN tables() t ON w.name = t.table_name
ORDER BY w.suspended DESC, pending DESC, w.name`;

export function pipeline(source: SqlSource): Dashboard {
  return dashboard({
    uid: 'cdvault-pipeline',
    title: 'Pipeline',
    description: 'Progress and health, from the ledger and the tables of QuestDB.',
    time: { from: 'now-24h', to: 'now' },
    refresh: '1m',
    variables: [
      new DatasourceVariableBuilder('prometheus')
        .label('Prometheus (for serve)')
        .type('prometheus'),
    ],
    panels: [...ledger(source), ...store(source), prometheusRow()],
  });
}

function ledger(source: SqlSource): Part[] {
  const half = { height: 8, width: 12 };
  const stacking = new StackingConfigBuilder().mode(StackingMode.Normal).group('A');
  return [
    bars(
      source,
      {
        ...half,
        title: 'Rows per second',
        description: 'Trades of the recorded hours, averaged over the width of a bar.',
      },
      ROWS,
    ),
    bars(
      source,
      { ...half, title: 'Hours recorded, by verdict', description: 'By the time of fetching.' },
      VERDICTS,
    ).stacking(stacking),
    table(
      source,
      {
        ...half,
        title: 'Lag',
        description:
          'Hours since the end of the newest proven hour. For a scheduled series this should be less than 3.',
      },
      LAG,
    ),
    table(
      source,
      {
        ...half,
        title: 'Open gaps',
        description: 'By class, for all times; Coverage shows the evidence.',
      },
      OPEN_GAPS,
    ),
    table(
      source,
      {
        ...half,
        title: 'Restatements',
        description:
          'Levels that changed after they were computed: old and new level, and the reason.',
      },
      RESTATEMENTS,
    ),
    table(
      source,
      {
        ...half,
        title: 'Exchange',
        description: 'The limits as last read, and the current ban, if any.',
      },
      EXCHANGE,
    ),
  ];
}

function store(source: SqlSource): Part[] {
  const description =
    'A suspended table accepts writes, but they do not become visible. Pending: transactions that are written but not visible yet.';
  return [table(source, { title: 'Tables of QuestDB', description, height: 10 }, TABLES)];
}

/** Collapsed, so that Grafana does not query a data source that may not exist. */
function prometheusRow(): Part {
  return new RowBuilder('Metrics of serve (needs a Prometheus data source that scrapes it)')
    .collapsed(true)
    .withPanel(
      metric(
        { title: 'Jobs in the queues', description: 'By kind and state.', height: 8, width: 12 },
        [['sum by (kind, state) (cdvault_queue_jobs) > 0', '{{kind}} {{state}}']],
      ),
    )
    .withPanel(
      metric(
        {
          title: 'Request weight used',
          description: 'In the exchange’s current window, with its limit.',
          height: 8,
          width: 12,
        },
        [
          ['cdvault_exchange_weight_used', '{{market}}'],
          ['cdvault_exchange_weight_limit', '{{market}} limit'],
        ],
      ),
    );
}

function metric(head: Head, queries: readonly (readonly [string, string])[]): TimeSeriesBuilder {
  const panel = headed(new TimeSeriesBuilder(), head).datasource({
    type: 'prometheus',
    uid: '${prometheus}',
  });
  for (const [index, [expr, legend]] of queries.entries())
    panel.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCharCode(65 + index))
        .expr(expr)
        .legendFormat(legend)
        .range(),
    );
  return panel;
}
