import { createBoard } from '../adapters/bullmq/board.ts';
import { createApi } from '../adapters/http/api/routes.ts';
import { bundlePage, createPage } from '../adapters/http/page.ts';
import { BOARD_PATH, type RunningServer, startServer } from '../adapters/http/server.ts';
import { createChartReads } from '../adapters/questdb/chart-reads.ts';
import { createLedger } from '../adapters/questdb/ledger.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { createSql } from '../adapters/questdb/sql.ts';
import { createStoreWatch } from '../adapters/questdb/store-watch.ts';
import type { createRedis } from '../adapters/redis/connection.ts';
import { redisCall } from '../adapters/redis/redis-call.ts';
import type { ServiceUrls } from '../adapters/services/types.ts';
import { createChartEvents } from '../app/chart/chart-events.ts';
import { serviceStatus } from '../app/chart/service-status.ts';
import { createWatch } from '../app/watch.ts';
import { VERSION } from '../version.ts';
import type { App, ServerPlace } from './compose.ts';
import { composeChart } from './compose-chart.ts';
import { composeExchange } from './compose-exchange.ts';

/** Timeout of metrics queries, shorter than the 10 s that Prometheus waits for a scrape. */
const WATCH_QUERY_MS = 5_000;

/** The HTTP server with board and metrics. */
export async function composeServer(
  app: { redis: ReturnType<typeof createRedis> } & Pick<
    App,
    'config' | 'queue' | 'clock' | 'log' | 'totals' | 'tracing' | 'loginLinks' | 'zones'
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
  const chart = composeChart(urls, app);
  const status = () => serviceStatus({ watch, queue, log });
  const events = createChartEvents({ reads: createChartReads(sql), status, clock, log });
  const { dataFor } = chart;
  const api = createApi({ dataFor, events, zones: app.zones, clock, version: VERSION, log });
  const { redisUrl } = urls;
  const board = createBoard({ redisUrl, prefix: config.redisPrefix, path: BOARD_PATH, log });
  const closeParts = () =>
    Promise.allSettled([board.close(), source.close(), sql.close(), chart.close()]);
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
