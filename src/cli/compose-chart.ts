import { DATA_ENDPOINTS } from '../adapters/http/api/routes.ts';
import { createChartReads } from '../adapters/questdb/chart-reads.ts';
import { createLedger } from '../adapters/questdb/ledger.ts';
import { createLimitedSql, type QueryLimits } from '../adapters/questdb/limited-sql.ts';
import { createPrunings } from '../adapters/questdb/prunings.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { QuestdbStoredBars } from '../adapters/questdb/stored-bars.ts';
import { createTradeReads } from '../adapters/questdb/trade-reads.ts';
import type { ServiceUrls } from '../adapters/services/types.ts';
import { createChartData } from '../app/chart/chart-data.ts';
import { createStoredSeries } from '../app/chart/stored-series.ts';
import { CdvaultError } from '../domain/errors.ts';
import { VERSION } from '../version.ts';
import type { ChartData } from '../ports/chart-data.ts';
import type { App } from './compose.ts';

const CHART_LIMITS: QueryLimits = {
  // Longer than a chart takes, and shorter than its reader waits.
  queryMs: 10_000,
  // The server has few threads for connections (two on a small machine), and workers need them, too.
  running: 2,
  // A page that is opened asks some ten questions of a few queries each.
  waiting: 200,
};

export interface ChartAnswers {
  /** Data for one asker, whose queries end when the signal is aborted. */
  readonly dataFor: (signal: AbortSignal) => ChartData;
  readonly close: () => Promise<void>;
}

/** What charts, scripts and notebooks read, as the read-only user. */
export function composeChart(
  urls: ServiceUrls,
  { config, clock, zones }: Pick<App, 'config' | 'clock' | 'zones'>,
): ChartAnswers {
  const limited = createLimitedSql(urls.questdbReadonlyPgUrl, CHART_LIMITS);
  // What it reads is for all askers, so it outlives each of them.
  const forAll = limited.until(new AbortController().signal);
  const series = createStoredSeries({
    ledger: createLedger(forAll),
    catalogue: createSeriesCatalogue(forAll),
    reads: createChartReads(forAll),
  });
  return {
    dataFor(signal) {
      const sql = limited.until(signal);
      return createChartData({
        bars: new QuestdbStoredBars(sql, config.tiers),
        ledger: createLedger(sql),
        series,
        prunings: createPrunings(sql),
        reads: createChartReads(sql),
        trades: createTradeReads(sql),
        zones,
        clock,
      });
    },
    close: () => limited.close(),
  };
}

/** The answers of the API without its server. */
export interface OpenApi {
  /**
   * @param path below the API's own
   * @returns the answer's JSON
   * @throws CdvaultError that the API answers with
   */
  ask(path: string, parameters: URLSearchParams): Promise<unknown>;
  close(): Promise<void>;
}

export function composeApi(
  urls: ServiceUrls,
  app: Pick<App, 'config' | 'clock' | 'zones'>,
): OpenApi {
  const { dataFor, close } = composeChart(urls, app);
  // Its queries end with close().
  const data = dataFor(new AbortController().signal);
  const deps = { data, zones: app.zones, clock: app.clock, version: VERSION };
  return {
    async ask(path, parameters) {
      const endpoint = DATA_ENDPOINTS.find((one) => one.path === path);
      if (endpoint === undefined) throw new CdvaultError('INTERNAL', `the API has no ${path}`);
      const { body } = await endpoint.ask(parameters, deps);
      const answer: unknown = JSON.parse(await body());
      return answer;
    },
    close,
  };
}
