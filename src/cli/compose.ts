import { createArchiveSource } from '../adapters/archive/archive-source.ts';
import { createJobQueue } from '../adapters/bullmq/job-queue.ts';
import { createArchiveFiles } from '../adapters/questdb/archive-files.ts';
import { openExportFolder } from '../adapters/export/export-folder.ts';
import { createBarStore } from '../adapters/questdb/bar-store.ts';
import { createCheckpoint } from '../adapters/questdb/checkpoint.ts';
import { createBulkReads } from '../adapters/questdb/bulk-reads.ts';
import { createBulkStore } from '../adapters/questdb/bulk-store.ts';
import { IlpConnection } from '../adapters/questdb/ilp-connection.ts';
import { createForgetting } from '../adapters/questdb/forgetting.ts';
import { createLedger } from '../adapters/questdb/ledger.ts';
import { createStoreLook } from '../adapters/questdb/store-look.ts';
import { createStoreWatch } from '../adapters/questdb/store-watch.ts';
import { createAlertStates } from '../adapters/redis/alert-states.ts';
import type { AlertStates } from '../ports/alerts.ts';
import type { StoreLook } from '../ports/status.ts';
import type { StoreWatch } from '../ports/watch.ts';
import { createRecentWrites } from '../adapters/questdb/recent-writes.ts';
import { createScheduleRules } from '../adapters/questdb/schedule-rules.ts';
import { createSeriesCatalogue } from '../adapters/questdb/series-catalogue.ts';
import { createSeriesTables, type SchemaLock } from '../adapters/questdb/series-tables.ts';
import { checkSchema, checkVersion } from '../adapters/questdb/server-check.ts';
import { createSql, type Sql } from '../adapters/questdb/sql.ts';
import { createPrunings } from '../adapters/questdb/prunings.ts';
import { createStorePartitions } from '../adapters/questdb/store-partitions.ts';
import { createTradeStore } from '../adapters/questdb/trade-store.ts';
import { createTradeWriter } from '../adapters/questdb/trade-writer.ts';
import { checkRedis, createRedis } from '../adapters/redis/connection.ts';
import { createLeases } from '../adapters/redis/lease.ts';
import { createLoginLinks } from '../adapters/redis/login-links.ts';
import { createServeAddress } from '../adapters/redis/serve-address.ts';
import { createWorkerRegister } from '../adapters/redis/worker-register.ts';
import type { RestSource } from '../adapters/binance/rest-source.ts';
import type { RunningServer } from '../adapters/http/server.ts';
import type { ServiceUrls } from '../adapters/services/types.ts';
import { createDistilledCache } from '../adapters/system/distilled-cache.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createLog } from '../adapters/system/log.ts';
import { NO_TRACING } from '../adapters/system/no-tracing.ts';
import { timeZones } from '../adapters/system/time-zones.ts';
import {
  createWorkTotals,
  meteredBulk,
  meteredTrades,
  type WorkTotals,
} from '../adapters/system/work-meter.ts';
import { createJobHandlers } from '../app/jobs/job-handlers.ts';
import type { Config } from '../config.ts';
import type { OpenApi } from './compose-chart.ts';
import { composeExchange } from './compose-exchange.ts';
import { composeWorkers } from './compose-workers.ts';
import { VERSION } from '../version.ts';
import { openFolder } from './input/open-folder.ts';
import { prepareSchema, schemaLock } from './schema.ts';
import type { ArchiveFiles } from '../ports/archive-files.ts';
import type { ArchiveSource } from '../ports/archive-source.ts';
import type { BarStore } from '../ports/bar-store.ts';
import type { BulkStore } from '../ports/bulk-store.ts';
import type { Forgetting } from '../ports/forgetting.ts';
import type { Checkpoint, RecentWrites } from '../ports/backup.ts';
import type { Clock } from '../ports/clock.ts';
import type { DistilledHours } from '../ports/distilled-hours.ts';
import type { JobQueue, JobWorkers } from '../ports/job-queue.ts';
import type { Leases } from '../ports/lease.ts';
import type { Ledger, SeriesCatalogue } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { LoginLinks } from '../ports/login-links.ts';
import type { ParquetExport } from '../ports/parquet-export.ts';
import type { ScheduleRules } from '../ports/schedule-rules.ts';
import type { ServeAddress } from '../ports/serve-address.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { TimeZones } from '../ports/time-zones.ts';
import type { StorePartitions } from '../ports/partitions.ts';
import type { Prunings } from '../ports/prunings.ts';
import type { TradeScan } from '../ports/trade-scan.ts';
import type { TradeStore } from '../ports/trade-store.ts';
import type { WeightGovernor } from '../ports/weight-governor.ts';
import type { WorkerRegister } from '../ports/worker-register.ts';

/** Everything that a command may need. */
export interface App {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly zones: TimeZones;
  readonly sql: Sql;
  readonly trades: TradeStore;
  readonly partitions: StorePartitions;
  readonly prunings: Prunings;
  readonly forgetting: Forgetting;
  readonly checkpoint: Checkpoint;
  readonly recent: RecentWrites;
  readonly scan: TradeScan;
  readonly parquet: ParquetExport;
  readonly bulk: BulkStore;
  readonly ledger: Ledger;
  readonly store: StoreWatch;
  readonly look: StoreLook;
  readonly bars: BarStore;
  readonly distilled: DistilledHours;
  readonly catalogue: SeriesCatalogue;
  readonly rules: ScheduleRules;
  readonly leases: Leases;
  readonly governor: WeightGovernor;
  readonly source: RestSource;
  readonly archive: ArchiveSource;
  /** Archive files, or exported files, in a folder of this machine. */
  readonly folder: (path: string) => ArchiveSource;
  /** A folder of this machine to export to. */
  readonly exportFolder: typeof openExportFolder;
  /** The record of archive files and their verdicts. */
  readonly files: ArchiveFiles;
  readonly queue: JobQueue;
  readonly loginLinks: LoginLinks;
  readonly alertStates: AlertStates;
  readonly serveAddress: ServeAddress;
  readonly register: WorkerRegister;
  readonly codeVersion: string;
  readonly totals: WorkTotals;
  readonly tracing: Tracing;
  /** Folder of the store's files; undefined when it is not on this machine or not known. */
  readonly storeDir: string | undefined;
  /** Rejects services that could lose jobs or data, then migrates the schema. @returns applied migrations */
  prepare(signal: AbortSignal): Promise<readonly string[]>;
  startWorkers(): JobWorkers;
  /** @throws CdvaultError USAGE when it cannot listen there */
  startServer(where: ServerPlace): Promise<Pick<RunningServer, 'port' | 'close'>>;
  /** The HTTP API without a server. */
  openApi(): Promise<OpenApi>;
  close(): Promise<void>;
}

export interface ServerPlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly hosts: readonly string[];
  readonly url: string | undefined;
}

/** Loaded for `serve` and `chart` only, so that other commands start faster. */
const serverModule = () => import('./compose-server.ts');
const chartModule = () => import('./compose-chart.ts');

/** The composition root: the only place that knows every adapter. Connects in the background. */
export function compose(
  config: Config,
  urls: ServiceUrls,
  distilled = createDistilledCache(),
  tracing: Tracing = NO_TRACING,
): App {
  const log = createLog(config.logLevel);
  const clock = systemClock;
  const totals = createWorkTotals();
  const redis = createRedis(urls.redisUrl, { log });
  const lock = schemaLock({ redis, clock, log });
  const store = composeStore(urls, { config, clock, log, totals, lock, tracing });
  const { sql } = store;
  const archive = createArchiveSource(config.archiveUrl, config);
  const { governor, source } = composeExchange(config, { redis, sql, clock, log, totals, tracing });
  const parts = {
    config,
    log,
    clock,
    zones: timeZones,
    ...store.parts,
    distilled,
    ...composeInRedis(redis, { config, clock, log }),
    governor,
    source,
    archive,
    files: createArchiveFiles(sql),
    folder: openFolder,
    exportFolder: openExportFolder,
    queue: createJobQueue({ redisUrl: urls.redisUrl, prefix: config.redisPrefix, log }),
    codeVersion: VERSION,
    totals,
    tracing,
    storeDir: urls.how === 'native' ? config.homeDir : undefined,
  };
  return {
    ...parts,
    async prepare(signal) {
      await checkRedis(redis, log);
      await checkVersion(sql, log);
      await checkSchema(sql);
      return prepareSchema({ sql, lock, log }, signal);
    },
    startWorkers: () =>
      composeWorkers({ ...parts, redisUrl: urls.redisUrl, handlers: createJobHandlers(parts) }),
    startServer: async (place) =>
      (await serverModule()).composeServer({ ...parts, redis }, urls, place),
    openApi: async () => (await chartModule()).composeApi(urls, parts),
    async close() {
      await Promise.allSettled([parts.queue, source, archive].map((part) => part.close()));
      redis.disconnect();
      await store.close();
    },
  };
}

function composeInRedis(
  redis: ReturnType<typeof createRedis>,
  { config, clock, log }: Pick<App, 'config' | 'clock' | 'log'>,
): Pick<App, 'alertStates' | 'leases' | 'loginLinks' | 'register' | 'serveAddress'> {
  const deps = { redis, keyPrefix: config.redisPrefix, clock, log };
  return {
    leases: createLeases(deps),
    loginLinks: createLoginLinks(deps),
    alertStates: createAlertStates(deps),
    serveAddress: createServeAddress(deps),
    register: createWorkerRegister(deps),
  };
}

function composeStore(
  urls: ServiceUrls,
  {
    config,
    clock,
    log,
    totals,
    lock,
    tracing,
  }: { totals: WorkTotals; lock: SchemaLock; tracing: Tracing } & Pick<
    App,
    'config' | 'clock' | 'log'
  >,
) {
  const sql = createSql(urls.questdbPgUrl);
  const tables = createSeriesTables({ sql, lock, log });
  const writer = createTradeWriter(urls.questdbHttpUrl, { tables, clock, log });
  const trades = createTradeStore({ sql, tables, writer });
  const bulk = createBulkStore(urls.questdbHttpUrl, { tables, clock, log });
  const ilp = new IlpConnection(urls.questdbHttpUrl, clock, log);
  const reads = createBulkReads(urls.questdbHttpUrl, { sql, tables, clock });
  const partitions = createStorePartitions(urls.questdbHttpUrl, { sql, tables, lock, clock });
  return {
    sql,
    parts: {
      sql,
      trades: meteredTrades(trades, totals, tracing),
      partitions,
      prunings: createPrunings(sql),
      checkpoint: createCheckpoint({ sql, lock }),
      recent: createRecentWrites(sql),
      scan: reads.scan,
      parquet: reads.parquet,
      bulk: meteredBulk(bulk, totals, tracing),
      ledger: createLedger(sql),
      store: createStoreWatch(sql),
      look: createStoreLook(sql),
      bars: createBarStore({ sql, ilp, clock, log }, config.tiers),
      catalogue: createSeriesCatalogue(sql, (...found) => tables.isOfGeneration(...found)),
      forgetting: createForgetting({ sql, lock }),
      rules: createScheduleRules(sql),
    },
    async close(): Promise<void> {
      const parts = [trades, reads, bulk, ilp, partitions];
      await Promise.allSettled(parts.map((part) => part.close()));
      await sql.close();
    },
  };
}
