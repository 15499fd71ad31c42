import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Answer, WatchedFacts } from '../../ports/watch.ts';

interface Metric {
  readonly name: `cdvault_${string}`;
  readonly help: string;
  /** Every gauge has at least one: prom-client shows a gauge without labels as 0 until it is set. */
  readonly labels: readonly [string, ...string[]];
}

/** cdvault's own metrics; docs/serve.md lists them. */
export const METRICS = {
  build: {
    name: 'cdvault_build_info',
    help: 'Always 1; the version of cdvault is a label.',
    labels: ['version'],
  },
  up: {
    name: 'cdvault_up',
    help: 'Whether the service answers, 0 or 1.',
    labels: ['service'],
  },
  collected: {
    name: 'cdvault_scrape_collector_success',
    help: 'Whether this group of metrics could be collected, 0 or 1. If not, its metrics are absent.',
    labels: ['collector'],
  },
  jobs: {
    name: 'cdvault_queue_jobs',
    help: 'Jobs in the queues. Jobs that wait for other jobs count as waiting.',
    labels: ['kind', 'state'],
  },
  rows: {
    name: 'cdvault_stored_rows',
    help: 'Aggregate trades of all hours in the ledger.',
    labels: ['market', 'symbol'],
  },
  hours: {
    name: 'cdvault_coverage_hours',
    help: 'Hours between the first and the last in the ledger, by verdict; hours that were never fetched are unknown.',
    labels: ['market', 'symbol', 'verdict'],
  },
  gaps: {
    name: 'cdvault_open_gaps',
    help: 'Unresolved rows of the table gaps, by class. They include halts and jumps of raw ids.',
    labels: ['market', 'symbol', 'class'],
  },
  lag: {
    name: 'cdvault_series_lag_seconds',
    help: 'For a scheduled series: time since the end of its newest proven hour, or since the start of the schedule if that is later.',
    labels: ['market', 'symbol'],
  },
  weightUsed: {
    name: 'cdvault_exchange_weight_used',
    help: 'Request weight used in the exchange’s current window, by all processes that share the address.',
    labels: ['market'],
  },
  weightLimit: {
    name: 'cdvault_exchange_weight_limit',
    help: 'Request weight that the exchange allows in a window.',
    labels: ['market'],
  },
  window: {
    name: 'cdvault_exchange_window_seconds',
    help: 'Length of the exchange’s window.',
    labels: ['market'],
  },
  paused: {
    name: 'cdvault_exchange_paused',
    help: 'Whether requests to the exchange are paused, 0 or 1; the reason is the most severe one in force.',
    labels: ['market', 'reason'],
  },
  pauseEnd: {
    name: 'cdvault_exchange_pause_end_timestamp_seconds',
    help: 'End of the pause as Unix time. Absent when there is no pause.',
    labels: ['market', 'reason'],
  },
  schema: {
    name: 'cdvault_store_schema_current',
    help: 'Whether all migrations of this version have been applied, 0 or 1.',
    labels: ['service'],
  },
  suspended: {
    name: 'cdvault_store_table_suspended',
    help: 'Whether QuestDB has suspended the table, 0 or 1. Writes to a suspended table do not become visible.',
    labels: ['table'],
  },
  pending: {
    name: 'cdvault_store_wal_pending_transactions',
    help: 'Transactions of the table that are acknowledged but not visible yet.',
    labels: ['table'],
  },
} as const satisfies Readonly<Record<string, Metric>>;

type MetricKey = keyof typeof METRICS;

const PAUSE_REASONS = ['rate_limited', 'banned', 'blocked', 'restricted'] as const;

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** The metrics of this process, under prom-client’s default names. */
export function createProcessMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** The page in Prometheus’ text format. Metrics that are unknown have no value there. */
export async function renderMetrics(facts: WatchedFacts, version: string): Promise<string> {
  const page = new Page();
  page.set('build', { version }, 1);
  page.set('up', { service: 'redis' }, Number(facts.redis.known));
  page.set('up', { service: 'questdb' }, Number(facts.store.known));
  setQueues(page, facts);
  setCoverage(page, facts);
  setExchange(page, facts);
  setStore(page, facts);
  return page.text();
}

/** One scrape. All metrics are created again, so that no old label values remain. */
class Page {
  readonly #registry = new Registry();
  readonly #gauges: Readonly<Record<MetricKey, Gauge>>;

  constructor() {
    const registers = [this.#registry];
    const gauges = Object.entries(METRICS).map(([key, { name, help, labels }]) => [
      key,
      new Gauge<string>({ name, help, labelNames: labels, registers }),
    ]);
    this.#gauges = Object.fromEntries(gauges) as Record<MetricKey, Gauge>;
  }

  set<K extends MetricKey>(
    key: K,
    labels: Readonly<Record<(typeof METRICS)[K]['labels'][number], string>>,
    value: number,
  ): void {
    this.#gauges[key].set(labels, value);
  }

  /** Sets whether the group is known, and its metrics if it is. */
  group<T>(collector: string, answer: Answer<T>, setAll: (value: T) => void): void {
    this.set('collected', { collector }, Number(answer.known));
    if (answer.known) setAll(answer.value);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function setQueues(page: Page, { queues }: WatchedFacts): void {
  page.group('queues', queues, (counts) => {
    for (const { kind, ...states } of counts)
      for (const [state, jobs] of Object.entries(states)) page.set('jobs', { kind, state }, jobs);
  });
}

function setCoverage(page: Page, { coverage, openGaps, lags }: WatchedFacts): void {
  page.group('coverage', coverage, (series) => {
    for (const { market, symbol, rows, proven, open, gap, unknown } of series) {
      page.set('rows', { market, symbol }, rows);
      for (const [verdict, hours] of Object.entries({ proven, open, gap, unknown }))
        page.set('hours', { market, symbol, verdict }, hours);
    }
  });
  page.group('gaps', openGaps, (rows) => {
    for (const { market, symbol, gapClass, count } of rows)
      page.set('gaps', { market, symbol, class: gapClass }, count);
  });
  page.group('schedule', lags, (series) => {
    for (const { market, symbol, lagMs } of series)
      page.set('lag', { market, symbol }, lagMs / 1000);
  });
}

function setExchange(page: Page, { exchange }: WatchedFacts): void {
  page.group('exchange', exchange, (markets) => {
    for (const { market, usedWeight, weightLimit, windowMs, pause } of markets) {
      for (const reason of PAUSE_REASONS)
        page.set('paused', { market, reason }, Number(pause?.reason === reason));
      if (pause !== undefined)
        page.set('pauseEnd', { market, reason: pause.reason }, pause.untilMs / 1000);
      // The limits of this market are not known yet.
      if (weightLimit === 0) continue;
      page.set('weightUsed', { market }, usedWeight);
      page.set('weightLimit', { market }, weightLimit);
      page.set('window', { market }, windowMs / 1000);
    }
  });
}

function setStore(page: Page, { store }: WatchedFacts): void {
  page.group('store', store, ({ isSchemaCurrent, tables }) => {
    page.set('schema', { service: 'questdb' }, Number(isSchemaCurrent));
    for (const { name: table, isSuspended, pendingTransactions } of tables) {
      page.set('suspended', { table }, Number(isSuspended));
      page.set('pending', { table }, pendingTransactions);
    }
  });
}
