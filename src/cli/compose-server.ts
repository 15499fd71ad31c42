import { createBoard } from '../adapters/bullmq/board.ts';
import { createApi } from '../adapters/http/api/routes.ts';
import { bundlePage, createPage } from '../adapters/http/page.ts';
import { BOARD_PATH, type RunningServer, startServer } from '../adapters/http/server.ts';
import { createChartReads } from '../adapters/questdb/chart-reads.ts';
import { createLedger } from '../adapters/questdb/ledger.ts';
import { createLimitedSql, type QueryLimits } from '../adapters/questdb/limited-sql.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { createSql } from '../adapters/questdb/sql.ts';
import { QuestdbStoredBars } from '../adapters/questdb/stored-bars.ts';
import { createStoreWatch } from '../adapters/questdb/store-watch.ts';
import type { createRedis } from '../adapters/redis/connection.ts';
import { redisCall } from '../adapters/redis/redis-call.ts';
import type { ServiceUrls } from '../adapters/services/types.ts';
import { createChartData } from '../app/chart/chart-data.ts';
import { createWatch } from '../app/watch.ts';
import { VERSION } from '../version.ts';
import type { App, ServerPlace } from './compose.ts';
import { composeExchange } from './compose-exchange.ts';

/** Timeout of metrics queries, shorter than the 10 s that Prometheus waits for a scrape. */
const WATCH_QUERY_MS = 5_000;

const CHART_LIMITS: QueryLimits = {
  // Longer than a chart takes, and shorter than its reader waits.
  queryMs: 10_000,
  // The server has few threads for connections (two on a small machine), and workers need them, too.
  running: 2,
  // A page that is opened asks some ten questions of a few queries each.
  waiting: 200,
};

/** The HTTP server with board and metrics. */
export async function composeServer(
  app: { redis: ReturnType<typeof createRedis> } & Pick<
    App,
    'config' | 'queue' | 'clock' | 'log' | 'totals' | 'loginLinks' | 'zones'
  >,
  urls: ServiceUrls,
  { host, port, ...guard }: ServerPlace,
): Promise<RunningServer> {
  const { config, queue, clock, log, redis, loginLinks } = app;
  // The server reads the store as the read-only user.
  const sql = createSql(urls.questdbReadonlyPgUrl, undefined, WATCH_QUERY_MS);
  const { governor, source } = composeExchange(config, { ...app, sql });
  const watch = createWatch({
    pingRedis: () => redisCall('answer a PING', () => redis.ping()),
    store: createStoreWatch(sql),
    ledger: createLedger(sql),
    catalogue: createSeriesCatalogue(sql),
    governor,
    queue,
    clock,
    log,
  });
  const data = composeChart(urls, app);
  const api = createApi({ data: data.chart, zones: app.zones, clock, version: VERSION, log });
  const { redisUrl } = urls;
  const board = createBoard({ redisUrl, prefix: config.redisPrefix, path: BOARD_PATH, log });
  const closeParts = () =>
    Promise.allSettled([board.close(), source.close(), sql.close(), data.close()]);
  try {
    const page = createPage(await bundlePage());
    const server = await startServer(
      { watch, board: board.pages, api, page, ...guard, links: loginLinks, version: VERSION, log },
      { host, port },
    );
    return {
      port: server.port,
      async close() {
        await server.close();
        await closeParts();
      },
    };
  } catch (error) {
    await closeParts();
    throw error;
  }
}

/** What charts, scripts and notebooks read, as the read-only user. */
function composeChart(
  urls: ServiceUrls,
  { config, clock, zones }: Pick<App, 'config' | 'clock' | 'zones'>,
) {
  const sql = createLimitedSql(urls.questdbReadonlyPgUrl, CHART_LIMITS);
  const chart = createChartData({
    bars: new QuestdbStoredBars(sql, config.tiers),
    ledger: createLedger(sql),
    catalogue: createSeriesCatalogue(sql),
    reads: createChartReads(sql),
    zones,
    clock,
  });
  return { chart, close: () => sql.close() };
}
