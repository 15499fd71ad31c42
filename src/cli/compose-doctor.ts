import { createJobQueue } from '../adapters/bullmq/job-queue.ts';
import { createQueueCheck } from '../adapters/bullmq/queue-check.ts';
import { grafanaFacts } from '../adapters/grafana/grafana-facts.ts';
import { createExchangeStateStore } from '../adapters/questdb/exchange-state.ts';
import { createScheduleRules } from '../adapters/questdb/schedule-rules.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { createSql } from '../adapters/questdb/sql.ts';
import { createStoreCures } from '../adapters/questdb/store-cures.ts';
import { createStoreFacts } from '../adapters/questdb/store-facts.ts';
import { createRedis } from '../adapters/redis/connection.ts';
import { createWorkerRegister } from '../adapters/redis/worker-register.ts';
import { redisFacts } from '../adapters/redis/redis-facts.ts';
import { hostOf, requireQuestdb, requireRedis } from '../adapters/services/environment.ts';
import { knownServices } from '../adapters/services/ladder.ts';
import { ownMachine } from '../adapters/services/own-machine.ts';
import type { ServicesOptions, ServiceUrls } from '../adapters/services/types.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createLog } from '../adapters/system/log.ts';
import { NO_TRACING } from '../adapters/system/no-tracing.ts';
import { within } from '../adapters/system/within.ts';
import { createWorkTotals } from '../adapters/system/work-meter.ts';
import type { Check } from '../app/doctor/check.ts';
import { examine, type TimedProbes } from '../app/doctor/examine.ts';
import { fix, type Fix } from '../app/doctor/fix.ts';
import { GROWTH_MS } from '../app/doctor/machine.ts';
import type { Config } from '../config.ts';
import { CdvaultError } from '../domain/errors.ts';
import { composeExchange } from './compose-exchange.ts';

export interface Doctor {
  examine(signal: AbortSignal): Promise<readonly Check[]>;
  fix(checks: readonly Check[], signal: AbortSignal): Promise<readonly Fix[]>;
  close(): Promise<void>;
}

/** Shorter than the limit of a check, so that the server's own words are reported. */
const QUERY_MS = 10_000;
const CONNECTIONS = 4;

/** Wires the checks. Unlike other commands it starts no service, does not migrate, and works while some are away. */
export function composeDoctor(config: Config, options: ServicesOptions): Doctor {
  const urls = knownServices(options);
  // Of services that never ran there is nothing to ask.
  if (urls === undefined) return { ...withoutServices(config), close: async () => undefined };
  // What fails is reported as a check.
  const log = createLog(config.logLevel === 'debug' ? 'debug' : 'error');
  const clock = systemClock;
  const sql = createSql(urls.questdbPgUrl, CONNECTIONS, QUERY_MS);
  const inRedis = lazily(() => openRedis(config, urls, { sql, log }));
  const probes = probesOf(config, urls, { sql, inRedis: inRedis.get });
  return {
    examine: (signal) => examine(probes, signal),
    fix: async (checks, signal) => {
      const { queue, check } = inRedis.get();
      const catalogue = createSeriesCatalogue(sql);
      const { store: facts, machine } = probes;
      const store = createStoreCures(sql);
      const tick = { catalogue, rules: createScheduleRules(sql), queue, clock, log };
      return fix({ facts, store, queue: check, machine, tick, clock }, checks, signal);
    },
    async close() {
      await inRedis.opened()?.close();
      await sql.close();
    },
  };
}

type InRedis = ReturnType<typeof openRedis>;

/** Clients that reconnect for ever, so they are made only after Redis has answered. */
function openRedis(
  config: Config,
  { redisUrl }: ServiceUrls,
  {
    sql,
    log,
  }: { readonly sql: ReturnType<typeof createSql>; readonly log: ReturnType<typeof createLog> },
) {
  const redis = createRedis(redisUrl, { log });
  const queue = createJobQueue({ redisUrl, prefix: config.redisPrefix, log });
  const check = createQueueCheck(redis, config.redisPrefix);
  const deps = {
    redis,
    sql,
    clock: systemClock,
    log,
    totals: createWorkTotals(),
    tracing: NO_TRACING,
  };
  const { governor, source } = composeExchange(config, deps);
  return {
    redis,
    queue,
    check,
    register: createWorkerRegister({
      redis,
      keyPrefix: config.redisPrefix,
      clock: systemClock,
      log,
    }),
    governor,
    source,
    async close() {
      await Promise.allSettled([queue.close(), check.close(), source.close()]);
      redis.disconnect();
    },
  };
}

function probesOf(
  config: Config,
  urls: ServiceUrls,
  { sql, inRedis }: { readonly sql: ReturnType<typeof createSql>; readonly inRedis: () => InRedis },
): TimedProbes {
  const states = createExchangeStateStore(sql);
  return {
    ...localProbes(config),
    redis: {
      place: hostOf(urls.redisUrl),
      answers: () => requireRedis(urls),
      facts: () => redisFacts(inRedis().redis),
    },
    store: {
      place: `${hostOf(urls.questdbHttpUrl)} and ${hostOf(urls.questdbPgUrl)} (SQL)`,
      answers: () => requireQuestdb(urls),
      ...createStoreFacts(sql, GROWTH_MS),
    },
    machine: ownMachine(urls, config.homeDir),
    queue: {
      counts: () => inRedis().queue.counts(),
      newestFailure: () => inRedis().queue.newestFailure(),
      hasTick: () => inRedis().queue.hasTick(),
      stalled: () => inRedis().check.stalled(),
      workers: () => inRedis().check.workers(),
      registered: () => inRedis().register.all(),
    },
    exchange: {
      egress: config.egress,
      state: (market, egress) => inRedis().governor.state(market, egress),
      bannedUntilMs: async (market) =>
        (await states.load(market, config.egress))?.bannedUntilMs ?? 0,
      clock: (market, signal) => inRedis().source.exchangeClock(market, signal),
    },
  };
}

function localProbes({
  grafana,
}: Config): Pick<TimedProbes, 'nodeVersion' | 'grafana' | 'clock' | 'within'> {
  return {
    nodeVersion: process.versions.node,
    grafana: grafana === undefined ? undefined : (signal) => grafanaFacts(grafana, signal),
    clock: systemClock,
    within,
  };
}

/** Neither URLs are set nor has this home ever had services. */
function withoutServices(config: Config): Omit<Doctor, 'close'> {
  const advice = 'cdvault up';
  const none = (code: 'REDIS_UNREACHABLE' | 'STORE_UNREACHABLE', what: string) => async () => {
    throw new CdvaultError(code, `${what} has never been started here`, { advice });
  };
  const noRedis = none('REDIS_UNREACHABLE', 'Redis');
  const noStore = none('STORE_UNREACHABLE', 'QuestDB');
  const probes: TimedProbes = {
    ...localProbes(config),
    redis: { place: '', answers: noRedis, facts: noRedis },
    store: {
      place: '',
      answers: noStore,
      server: noStore,
      walTables: noStore,
      views: noStore,
      tables: noStore,
      migrations: noStore,
      dueOfSeries: noStore,
      parquet: noStore,
      growth: noStore,
      series: noStore,
      rules: noStore,
    },
    machine: undefined,
    queue: {
      counts: noRedis,
      newestFailure: noRedis,
      hasTick: noRedis,
      stalled: noRedis,
      workers: noRedis,
      registered: noRedis,
    },
    exchange: { egress: '', state: noRedis, bannedUntilMs: noStore, clock: noRedis },
  };
  return { examine: (signal) => examine(probes, signal), fix: async () => [] };
}

function lazily<T>(make: () => T): { readonly get: () => T; readonly opened: () => T | undefined } {
  let made: T | undefined;
  return { get: () => (made ??= make()), opened: () => made };
}
