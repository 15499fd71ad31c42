import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { DAY_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { DOCUMENTED } from '../e2e/documented-sql.ts';
import { recipesOf } from './cookbook-page.ts';
import { Asker, loadDashboard, panelQueries } from './grafana-dashboard.ts';
import { expandQuery } from './grafana-macros.ts';

/** The day of docs/sql.md. */
export const COOKBOOK_DAY = Date.UTC(2024, 0, 1);

const ANCHORS = ['visible', 'day', 'session', 'continuous'] as const;

/**
 * Every statement over bars that ships, by a name: all views and exact tables with all their columns, for each
 * symbol and for all at once; the recipes of docs/sql.md and docs/anchors.md; the panels of the dashboards.
 * Those of the documentation ask for two days from COOKBOOK_DAY on, and for BTCUSDT, ETHUSDT and BTCUSD_PERP.
 */
export async function barStatements(
  url: string,
  symbols: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...viewStatements(symbols),
    ...documentedStatements(),
    ...(await dashboardStatements(url)),
  ]);
}

function* viewStatements(symbols: readonly string[]): Generator<readonly [string, string]> {
  const views = [
    ...INTERVALS.flatMap((one) => [
      `cdv_exact_${one}`,
      `cdv_${one}`,
      `cdv_${one}_total`,
      `bars_${one}`,
    ]),
    ...TIER_INTERVALS.flatMap((one) => [`tiers_exact_${one}`, `tiers_${one}`]),
  ];
  for (const view of views) {
    const isTier = view.startsWith('tiers');
    const order = isTier ? 'symbol, ts, tier' : 'symbol, ts';
    yield [view, `SELECT * FROM ${view} ORDER BY ${order}`];
    for (const symbol of symbols) {
      const ofDays = `market = 'binance_spot' AND symbol = '${symbol}' AND ts IN '2024-01'`;
      yield [`${view} ${symbol}`, `SELECT * FROM ${view} WHERE ${ofDays} ORDER BY ${order}`];
      yield [
        `${view} ${symbol}, the last`,
        `SELECT * FROM ${view} WHERE ${ofDays} ${isTier ? "AND tier = '10000' " : ''}ORDER BY ts DESC LIMIT 1`,
      ];
    }
  }
}

function documentedStatements(): (readonly [string, string])[] {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/sql.md'), 'utf8');
  const recipes = recipesOf(page).flatMap(({ number, answers }) =>
    answers.map(({ query }, at) => [`recipe ${number}.${at}`, query] as const),
  );
  const anchors = [...DOCUMENTED].map(([heading, sql]) => {
    const moved = sql
      .replaceAll('2024-03-04', '2024-01-01')
      .replaceAll('2024-03-05', '2024-01-02')
      .replaceAll('2024-04-01', '2024-01-03');
    return [`anchors.md ${heading}`, moved] as const;
  });
  return [...recipes, ...anchors];
}

async function dashboardStatements(url: string): Promise<(readonly [string, string])[]> {
  const asker = await Asker.connect(url);
  const range = { fromMs: COOKBOOK_DAY, toMs: COOKBOOK_DAY + 2 * DAY_MS, intervalMs: MINUTE_MS };
  try {
    const dashboard = loadDashboard('order-flow.json');
    const statements: (readonly [string, string])[] = [];
    for (const anchor of ANCHORS) {
      const chosen = { market: 'binance_spot', symbol: 'BTCUSDT', interval: 'auto', anchor };
      const session = { session_zone: 'America/New_York', session_start: '09:30' };
      const variables = await asker.variables(dashboard, range, { ...chosen, ...session });
      for (const { where, target } of panelQueries(dashboard))
        statements.push([
          `order flow, ${anchor}: ${where}`,
          expandQuery(target.rawSql, { ...range, variables }),
        ]);
    }
    return statements;
  } finally {
    await asker.close();
  }
}
