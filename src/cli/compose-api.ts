import type { Hono } from 'hono';
import type { FailureBody } from '../adapters/http/api/failures.ts';
import { createApi } from '../adapters/http/api/routes.ts';
import { createChartReads } from '../adapters/questdb/chart-reads.ts';
import { createLedger } from '../adapters/questdb/ledger.ts';
import { createLimitedSql, type QueryLimits } from '../adapters/questdb/limited-sql.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { QuestdbStoredBars } from '../adapters/questdb/stored-bars.ts';
import { createTradeReads } from '../adapters/questdb/trade-reads.ts';
import type { ServiceUrls } from '../adapters/services/types.ts';
import { createChartData } from '../app/chart/chart-data.ts';
import { CdvaultError } from '../domain/errors.ts';
import { VERSION } from '../version.ts';
import type { App } from './compose.ts';

const CHART_LIMITS: QueryLimits = {
  // Longer than a chart takes, and shorter than its reader waits.
  queryMs: 10_000,
  // The server has few threads for connections (two on a small machine), and workers need them, too.
  running: 2,
  // A page that is opened asks some ten questions of a few queries each.
  waiting: 200,
};

export interface ComposedApi {
  readonly api: Hono;
  /**
   * @param question path and query below the API's own path
   * @returns the answer's JSON
   * @throws CdvaultError that the API answers with
   */
  ask(question: string): Promise<unknown>;
  close(): Promise<void>;
}

/** The HTTP API, for the server and for charts that are files. It reads the store as the read-only user. */
export function composeApi(
  urls: ServiceUrls,
  { config, clock, log, zones }: Pick<App, 'config' | 'clock' | 'log' | 'zones'>,
): ComposedApi {
  const sql = createLimitedSql(urls.questdbReadonlyPgUrl, CHART_LIMITS);
  const data = createChartData({
    bars: new QuestdbStoredBars(sql, config.tiers),
    ledger: createLedger(sql),
    catalogue: createSeriesCatalogue(sql),
    reads: createChartReads(sql),
    trades: createTradeReads(sql),
    zones,
    clock,
  });
  const api = createApi({ data, zones, clock, version: VERSION, log });
  return {
    api,
    async ask(question) {
      const response = await api.request(question);
      const answer: unknown = await response.json();
      if (response.ok) return answer;
      const { code, message, advice } = (answer as FailureBody).error;
      throw new CdvaultError(code, message, { advice });
    },
    close: () => sql.close(),
  };
}
