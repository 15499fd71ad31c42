import {
  createRestSource,
  type RequestInfo,
  type RestSource,
} from '../adapters/binance/rest-source.ts';
import { createExchangeStateStore } from '../adapters/questdb/exchange-state.ts';
import type { Sql } from '../adapters/questdb/sql.ts';
import type { createRedis } from '../adapters/redis/connection.ts';
import { addWork, type WorkTotals } from '../adapters/system/work-meter.ts';
import { createWeightGovernor } from '../adapters/weight/weight-governor.ts';
import type { Config } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { WeightGovernor } from '../ports/weight-governor.ts';

interface ExchangeDeps {
  readonly redis: ReturnType<typeof createRedis>;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly log: Log;
  readonly totals: WorkTotals;
  readonly tracing: Tracing;
}

interface ComposedExchange {
  readonly governor: WeightGovernor;
  readonly source: RestSource;
}

/** The governor asks the exchange for its limits, and the source asks the governor for weight. */
export function composeExchange(
  config: Config,
  { redis, sql, clock, log, totals, tracing }: ExchangeDeps,
): ComposedExchange {
  const governor = createWeightGovernor({
    redis,
    // Not CDVAULT_REDIS_PREFIX: all installations that share an address share its weight budget.
    keyPrefix: 'cdvault-weight',
    egress: config.egress,
    baseUrls: config.exchangeUrls,
    share: config.weightShare,
    limits: (market, signal) => source.exchangeLimits(market, signal),
    exchangeClock: (market, signal) => source.exchangeClock(market, signal),
    states: createExchangeStateStore(sql),
    clock,
    log,
  });
  const source = createRestSource({
    baseUrls: config.exchangeUrls,
    proxies: config.proxies,
    governor,
    clock,
    log,
    onRequest: (info) => {
      count(totals, info);
      note(tracing, info);
    },
  });
  return { governor, source };
}

function count(totals: WorkTotals, info: RequestInfo): void {
  const { waitMs, fetchMs, decodeMs, weight } = info;
  const tradeRequests = info.path.endsWith('/aggTrades') ? 1 : 0;
  const retries = info.retry ? 1 : 0;
  addWork(totals, { requests: 1, tradeRequests, retries, weight, waitMs, fetchMs, decodeMs });
}

function note(tracing: Tracing, info: RequestInfo): void {
  const { path, status, rows, weight, retry, code, waitMs, fetchMs } = info;
  const name = path.endsWith('/aggTrades') ? 'page' : 'request';
  const facts = { 'url.path': path, 'http.response.status_code': status, 'error.type': code };
  tracing.part(name, fetchMs, { ...facts, rows, weight, retry, wait_ms: Math.round(waitMs) });
}
