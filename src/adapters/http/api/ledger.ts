import { z } from 'zod';
import { marketName, type Series } from '../../../domain/market.ts';
import type { TimeRange } from '../../../domain/time/hour.ts';
import type { ChartData, ChartSeries, CoverageRun, WithSql } from '../../../ports/chart-data.ts';
import type { RestatementRow } from '../../../ports/bar-store.ts';
import type { SeenGap } from '../../../ports/ledger.ts';
import { type Columns, columnsOf, type Style, TIME, timeJson } from './columns.ts';
import { type Endpoint, endpoint, objectJson, SQL, tableJson, tableSchema } from './endpoint.ts';
import {
  MARKET,
  RANGE_PARAMETERS,
  rangeOf,
  seriesOf,
  styleOf,
  TIMES,
  WITH_SQL,
} from './parameters.ts';

const RANGE = z.object(RANGE_PARAMETERS);

const RUNS = columnsOf<CoverageRun>();
const COVERAGE = {
  from: RUNS.time('Start of the first hour.', (run) => run.startMs),
  to: RUNS.time('End of the last hour.', (run) => run.endMs),
  verdict: RUNS.text('`proven`, `open`, `gap` or `unknown`.', (run) => run.verdict),
  missing: RUNS.count('Ids missing in a gap; null where that is unknown.', (run) => run.missing),
};

const GAPS_OF = columnsOf<SeenGap>();
const GAPS = {
  hour: GAPS_OF.time('Start of the hour.', (gap) => gap.hourMs),
  class: GAPS_OF.text('What is not proven, or odd.', (gap) => gap.gapClass),
  fromId: GAPS_OF.count('First id concerned.', (gap) => gap.fromId),
  toId: GAPS_OF.count('The id after the last one.', (gap) => gap.toId),
  evidence: GAPS_OF.text('What was seen.', (gap) => gap.evidence),
  seen: GAPS_OF.time('When it was first seen.', (gap) => gap.seenAtMs),
};

const STATED = columnsOf<RestatementRow>();
const RESTATEMENTS = {
  hour: STATED.time('First hour, or midnight, whose level changed.', (row) => row.hourMs),
  what: STATED.text('`bars`, or `anchor` for continuous levels.', (row) => row.what),
  oldLevel: STATED.decimal('The level before.', (row) => row.oldLevel),
  newLevel: STATED.decimal('The level since.', (row) => row.newLevel),
  reason: STATED.text('Why it changed.', (row) => row.reason),
  seen: STATED.time('When it changed.', (row) => row.seenAtMs),
};

/** A path that gives rows of one series and range. */
function rangeEndpoint<Row>(
  columns: Columns<Row>,
  {
    path,
    summary,
    rows,
  }: Pick<Endpoint, 'path' | 'summary'> & {
    readonly rows: (data: ChartData, series: Series, range: TimeRange) => Promise<WithSql<Row>>;
  },
): Endpoint {
  return endpoint({
    path,
    summary,
    parameters: RANGE,
    answer: tableSchema(columns, {}),
    ask(given, { data, clock }) {
      const [series, style] = [seriesOf(given), styleOf(given)];
      const range = rangeOf(given, clock.nowMs());
      return {
        tag: undefined,
        async body() {
          const found = await rows(data, series, range);
          const sql = given.sql === 'true' ? found.sql : undefined;
          return tableJson({ series, range, style, sql, columns, rows: found.rows });
        },
      };
    },
  });
}

const SERIES = z.strictObject({
  market: MARKET.unwrap(),
  symbol: z.string(),
  unit: z.enum(['base', 'contracts']),
  contractSize: z.string().nullable().describe('Value of one contract in quote currency.'),
  from: TIME.describe('Start of the first hour in the ledger.'),
  to: TIME.describe('End of the last hour in the ledger.'),
  provenTo: TIME.nullable().describe('End of the newest proven hour.'),
  origin: TIME.nullable().describe('Where continuous CDV is 0.'),
  hours: z.strictObject({ proven: z.int(), open: z.int(), gap: z.int(), unknown: z.int() }),
  rows: z.int().describe('Aggregate trades of all hours.'),
  isScheduled: z.boolean(),
});

function seriesJson(series: ChartSeries, style: Style): string {
  const { market, symbol, unit, contractSize, provenToMs, proven, open, gap, unknown } = series;
  return objectJson({
    market: JSON.stringify(marketName(market)),
    symbol: JSON.stringify(symbol),
    unit: JSON.stringify(unit),
    contractSize: JSON.stringify(contractSize ?? null),
    from: timeJson(series.startMs, style),
    to: timeJson(series.endMs, style),
    provenTo: provenToMs === undefined ? 'null' : timeJson(provenToMs, style),
    origin: series.originMs === undefined ? 'null' : timeJson(series.originMs, style),
    hours: JSON.stringify({ proven, open, gap, unknown }),
    rows: String(series.rows),
    isScheduled: String(series.isScheduled),
  });
}

export const LEDGER_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    path: '/series',
    summary: 'Stored series, and what is known of them',
    parameters: z.object({ times: TIMES, sql: WITH_SQL }),
    answer: z.strictObject({ series: z.array(SERIES), sql: SQL }),
    ask: ({ times, sql: isSqlAsked }, { data }) => ({
      tag: undefined,
      async body() {
        const style = { exact: true, iso: times === 'iso' };
        const { rows, sql } = await data.series();
        const all = rows.map((one) => seriesJson(one, style));
        return objectJson({
          series: `[${all.join(',')}]`,
          ...(isSqlAsked === 'true' && { sql: JSON.stringify(sql) }),
        });
      },
    }),
  }),
  rangeEndpoint(COVERAGE, {
    path: '/coverage',
    summary: 'Which hours are proven',
    rows: (data, ...asked) => data.coverage(...asked),
  }),
  rangeEndpoint(GAPS, {
    path: '/gaps',
    summary: 'What is not proven and why, and oddities',
    rows: (data, ...asked) => data.gaps(...asked),
  }),
  rangeEndpoint(RESTATEMENTS, {
    path: '/restatements',
    summary: 'Levels that changed after they could be read',
    rows: (data, ...asked) => data.restatements(...asked),
  }),
];
