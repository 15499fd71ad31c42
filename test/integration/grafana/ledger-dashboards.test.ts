import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createExchangeStateStore } from '../../../src/adapters/questdb/exchange-state.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';
import { unique } from '../../support/command-line.ts';
import { type HourFate, fillSeries } from '../../support/filled-series.ts';
import {
  type Answer,
  Asker,
  loadDashboard,
  panelQueries,
  timeMsOf,
} from '../../support/grafana-dashboard.ts';
import { expandQuery, type QueryContext } from '../../support/grafana-macros.ts';
import { madeTrades } from '../../support/made-trades.ts';
import { openStore, uniqueSeries } from '../../support/store.ts';

/** Tests of Coverage and Pipeline. The tables are shared with other tests, whose rows may show up. */

const TODAY = floorTo(Date.now(), DAY_MS);
const FIRST_DAY = TODAY - 5 * DAY_MS;
const HOLED_DAY = FIRST_DAY + DAY_MS;
const ABSENT_DAY = FIRST_DAY + 2 * DAY_MS;
const LAST_DAY = FIRST_DAY + 3 * DAY_MS;

const coverage = loadDashboard('coverage.json');
const pipeline = loadDashboard('pipeline.json');

let store: ReturnType<typeof openStore>;
let asker: Asker;
const series: Series = uniqueSeries('LEDGER');
const egress = unique('banned-');

beforeAll(async () => {
  store = openStore();
  asker = await Asker.connect(inject('services').questdbReadonlyPgUrl);
  await fillSeries(store, {
    series,
    trades: madeTrades(10_000, FIRST_DAY, LAST_DAY + 6 * HOUR_MS, 10 * MINUTE_MS),
    originMs: FIRST_DAY,
    fateOf,
  });
  await store.bars.restate(series, [
    {
      hourMs: FIRST_DAY,
      what: 'bars',
      oldLevel: '1.5',
      newLevel: '2.5',
      reason: 'a test',
      seenAtMs: Date.now(),
    },
  ]);
  await createExchangeStateStore(store.sql).save('binance_spot', egress, {
    weightLimit: 6000,
    windowMs: MINUTE_MS,
    limitsAtMs: Date.now(),
    bannedUntilMs: Date.now() + HOUR_MS,
  });
});
afterAll(async () => {
  await asker.close();
  await store.close();
});

function fateOf(hourMs: number): HourFate {
  if (hourMs >= ABSENT_DAY && hourMs < ABSENT_DAY + DAY_MS) return 'absent';
  return hourMs === HOLED_DAY + 5 * HOUR_MS ? 'holes' : 'proven';
}

const RANGES = {
  '1 min': [FIRST_DAY + HOUR_MS, FIRST_DAY + HOUR_MS + MINUTE_MS],
  '6 h': [HOLED_DAY, HOLED_DAY + 6 * HOUR_MS],
  '30 d': [TODAY - 29 * DAY_MS, TODAY + DAY_MS],
} as const;
const INTERVALS_MS = [500, MINUTE_MS, HOUR_MS, DAY_MS];

function contextOf([fromMs, toMs]: readonly [number, number], intervalMs = HOUR_MS): QueryContext {
  // A list, as Grafana passes variables with several values.
  const variables = { market: [series.market], symbol: [series.symbol] };
  return { fromMs, toMs, intervalMs, variables };
}

async function panel(from: typeof coverage, title: string, context: QueryContext): Promise<Answer> {
  const found = panelQueries(from).find(({ where }) => where.startsWith(title));
  if (found === undefined) throw new Error(`no panel ${title}`);
  return asker.ask(expandQuery(found.target.rawSql, context));
}

/** Rows as objects; where rows have a series, only those of ours. */
function ours({ columns, rows }: Answer): Record<string, string | null>[] {
  return rows
    .map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))
    .filter((row) => row['symbol'] === undefined || row['symbol'] === series.symbol);
}

describe.each(['coverage.json', 'pipeline.json'])('%s', (name) => {
  const dashboard = loadDashboard(name);

  test.each(Object.entries(RANGES))(
    'every query answers in the shape that its panel needs: %s',
    async (_, range) => {
      for (const intervalMs of INTERVALS_MS)
        for (const { where, target } of panelQueries(dashboard)) {
          const { columns, rows } = await asker.ask(
            expandQuery(target.rawSql, contextOf(range, intervalMs)),
          );
          if (target.format !== 'time_series') {
            expect(rows.length, where).toBeLessThanOrEqual(1000);
            continue;
          }
          expect(columns[0], where).toEqual({ name: 'time', oid: 1114 });
          if (columns.some((column) => column.name === 'metric')) expect(columns).toHaveLength(3);
          const times = rows.map(([time]) => timeMsOf(time));
          expect(times, where).toEqual(times.toSorted((left, right) => left - right));
        }
    },
  );
});

describe('coverage', () => {
  test('a day is green when all 24 hours are proven, red with a gap or no hours, else amber', async () => {
    const days = await panel(coverage, 'Days', contextOf(RANGES['30 d']));
    expect(days.rows.map(([time, , value]) => [timeMsOf(time), Number(value)])).toEqual([
      [FIRST_DAY, 2],
      [HOLED_DAY, 0],
      [ABSENT_DAY, 0],
      [LAST_DAY, 1],
    ]);
  });

  test('a day that the range cuts is coloured by all of its hours', async () => {
    const range = [FIRST_DAY + 2.5 * HOUR_MS, FIRST_DAY + 4 * HOUR_MS] as const;
    const days = await panel(coverage, 'Days', contextOf(range));
    expect(days.rows.map(([time, , value]) => [timeMsOf(time), Number(value)])).toEqual([
      [FIRST_DAY, 2],
    ]);
  });

  test('hours are counted by verdict, with absent ones in between; gaps have their evidence', async () => {
    const context = contextOf(RANGES['30 d']);
    expect(ours(await panel(coverage, 'Hours by series', context))).toMatchObject([
      { proven: '53', gap: '1', open: '0', absent: '24' },
    ]);
    expect(ours(await panel(coverage, 'Gaps and anomalies', context))).toMatchObject([
      { class: 'missing_ids', evidence: 'asked three times', resolved_at: null },
    ]);
    const sources = await panel(coverage, 'Hours by source', context);
    expect(sources.rows.map(([, source, hours]) => [source, Number(hours)])).toEqual([
      ['rest', 24],
      ['rest', 24],
      ['rest', 6],
    ]);
  });

  test('several series can be chosen at once, as quoted lists', async () => {
    const chosen = contextOf(RANGES['30 d']);
    const variables = { ...chosen.variables, symbol: [series.symbol, "NOBODY'S"] };
    const days = await panel(coverage, 'Days', { ...chosen, variables });
    expect(days.rows).toHaveLength(4);
  });
});

describe('pipeline', () => {
  test('rows per second are counted by the time of the fetch, for each bar width', async () => {
    const nowMs = Date.now();
    const range = [nowMs - HOUR_MS, nowMs + MINUTE_MS] as const;
    for (const intervalMs of [MINUTE_MS, HOUR_MS]) {
      const { rows } = await panel(pipeline, 'Rows per second', contextOf(range, intervalMs));
      const total = rows.reduce((sum, [, perSecond]) => sum + Number(perSecond), 0);
      const { rows: stored } = await asker.ask(
        expandQuery(
          'SELECT sum(rows) FROM slices WHERE $__timeFilter(fetched_at)',
          contextOf(range),
        ),
      );
      expect(total * (intervalMs / 1000)).toBeCloseTo(Number(stored[0]?.[0]), 3);
    }
  });

  test('lag, open gaps, restatements and bans are shown', async () => {
    const context = contextOf([Date.now() - HOUR_MS, Date.now() + HOUR_MS]);
    const [lag] = ours(await panel(pipeline, 'Lag', context));
    const provenUntilMs = LAST_DAY + 6 * HOUR_MS;
    expect(timeMsOf(lag?.['proven_until'])).toBe(provenUntilMs);
    const hours = (Date.now() - provenUntilMs) / HOUR_MS;
    expect(Math.abs(Number(lag?.['lag_hours']) - hours)).toBeLessThan(0.2);
    expect(ours(await panel(pipeline, 'Open gaps', context))).toMatchObject([
      { class: 'missing_ids', hours: '1' },
    ]);
    expect(ours(await panel(pipeline, 'Restatements', context))).toMatchObject([
      { old_level: '1.5', new_level: '2.5', reason: 'a test' },
    ]);
    const exchange = ours(await panel(pipeline, 'Exchange', context));
    const banned = exchange.find((row) => row['egress'] === egress);
    expect(timeMsOf(banned?.['banned_until'])).toBeGreaterThan(Date.now());
    const tables = ours(await panel(pipeline, 'Tables of QuestDB', context));
    expect(tables.map(({ name }) => name)).toContain('slices');
  });
});
