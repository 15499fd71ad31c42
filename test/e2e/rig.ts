import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, inject } from 'vitest';
import type { ServiceUrls } from '../../src/adapters/services/types.ts';
import {
  concludeRun,
  enqueueRun,
  isRunOver,
  type RunResult,
} from '../../src/app/plan/run-backfill.ts';
import { type App, compose } from '../../src/cli/compose.ts';
import { loadConfig } from '../../src/config.ts';
import type { TimeRange } from '../../src/domain/time/hour.ts';
import type { Series } from '../../src/domain/market.ts';
import type { SourceChoice } from '../../src/domain/plan/source-choice.ts';
import type { DistilledHours } from '../../src/ports/distilled-hours.ts';
import type { JobWorkers } from '../../src/ports/job-queue.ts';
import { type ArchiveServer, startArchiveServer } from '../exchange/archive-server.ts';
import { type Exchange, type ExchangeOptions, startExchange } from '../exchange/exchange.ts';
import type { RequestEntry } from '../exchange/request-log.ts';
import {
  type CliProcess,
  type CliResult,
  cliEnv,
  runCli,
  startCli,
  unique,
} from '../support/command-line.ts';
import { halfCache } from '../support/half-cache.ts';

const POLL_MS = 50;
/** Longer than any wait of a test that does not hang. */
const PATIENCE_MS = 90_000;
/** A little more than the full time of a lease. */
const LEASE_MS = 25_000;
const RELEASE_MS = 2_000;

export interface RigOptions extends Partial<ExchangeOptions> {
  readonly services?: ServiceUrls;
  /** Concurrent slices; default 8. */
  readonly concurrency?: number;
  /** Default: a host without files. */
  readonly archiveUrl?: string;
}

/** One installation: a simulated exchange, a Redis prefix, a weight budget; `dispose` ends what it started. */
export class Rig {
  readonly services: ServiceUrls;
  readonly exchange: Exchange;
  readonly name = unique('e2e-');
  readonly env: Readonly<Record<string, string>>;
  readonly archiveUrl: string;
  readonly #archive: ArchiveServer | undefined;
  readonly #concurrency: number;
  /** true when the test has its own services, which it may break. */
  readonly #mayFail: boolean;
  readonly #apps: App[] = [];
  readonly #workers: JobWorkers[] = [];
  readonly #raw: Queue[] = [];
  readonly #commands: CliProcess[] = [];
  #redis: Redis | undefined;

  static async start(options: RigOptions): Promise<Rig> {
    // Weight is not enforced, since most tests are about other things.
    const exchange = await startExchange({ symbols: [], enforceWeight: false, ...options });
    const archive = options.archiveUrl === undefined ? await startArchiveServer([]) : undefined;
    return new Rig(exchange, options, archive);
  }

  private constructor(exchange: Exchange, options: RigOptions, archive?: ArchiveServer) {
    this.exchange = exchange;
    this.services = options.services ?? inject('services');
    this.#mayFail = options.services !== undefined;
    this.#concurrency = options.concurrency ?? 8;
    this.#archive = archive;
    this.archiveUrl = options.archiveUrl ?? archive?.url ?? '';
    this.env = cliEnv(this.services, exchange.url, this.name, {
      CDVAULT_LOG: 'error',
      BINANCE_ARCHIVE_URL: this.archiveUrl,
      CDVAULT_CONCURRENCY: String(this.#concurrency),
    });
  }

  /** An app, composed as a command would, and ready. */
  async app(distilled: DistilledHours = halfCache()): Promise<App> {
    const home = path.join(import.meta.dirname, '../../.cdvault/test');
    const app = compose(loadConfig({ home }, this.env), this.services, distilled);
    this.#apps.push(app);
    await app.prepare(AbortSignal.timeout(PATIENCE_MS));
    return app;
  }

  work(app: App): JobWorkers {
    const workers = app.startWorkers();
    this.#workers.push(workers);
    return workers;
  }

  /**
   * Backfills as the command does, but without its cost estimate, so that every trade request belongs to a
   * slice. Returns when the queues are empty.
   */
  async backfill(
    app: App,
    series: readonly Series[],
    range: TimeRange,
    source: SourceChoice = 'rest',
  ): Promise<RunResult> {
    const runId = await this.enqueue(app, series, range, source);
    const workers = this.work(app);
    await this.untilOver(app, [runId], series);
    await workers.stop();
    return concludeRun(app, runId, series, range);
  }

  async enqueue(
    app: App,
    series: readonly Series[],
    range: TimeRange,
    source: SourceChoice = 'rest',
  ): Promise<string> {
    const runId = unique('run-');
    await enqueueRun(app, { runId, series, range, source }, AbortSignal.timeout(PATIENCE_MS));
    return runId;
  }

  async untilOver(app: App, runIds: readonly string[], series: readonly Series[]): Promise<void> {
    await eventually('the runs are over', async () => {
      for (const runId of runIds) if (!(await isRunOver(app, runId, series))) return false;
      return true;
    });
    await this.untilIdle(app);
  }

  /**
   * Waits until the queues are empty in two counts in a row. A job adds its follow-up jobs before it ends, so
   * idle queues stay idle; but queues are counted separately, and work may pass from one to another between
   * two counts.
   */
  async untilIdle(app: App): Promise<void> {
    let idleCounts = 0;
    await eventually('the queues are empty', async () => {
      const isIdle = (await app.queue.counts())
        .filter(({ kind }) => kind !== 'tick')
        .every(({ waiting, active, delayed }) => waiting + active + delayed === 0);
      idleCounts = isIdle ? idleCounts + 1 : 0;
      return idleCounts === 2;
    });
  }

  /** One of our queues as BullMQ sees it. */
  raw(name: string): Queue {
    const queue = new Queue(name, {
      connection: { url: this.services.redisUrl },
      prefix: this.name,
    });
    this.#raw.push(queue);
    return queue;
  }

  async cli(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<CliResult> {
    return runCli(args, { env: { ...this.env, ...more } });
  }

  startCli(
    args: readonly string[],
    onLine?: (line: string) => void,
    more: Readonly<Record<string, string>> = {},
  ): CliProcess {
    const command = startCli(args, {
      env: { ...this.env, ...more },
      ...(onLine === undefined ? {} : { onLine }),
    });
    this.#commands.push(command);
    return command;
  }

  redis(): Redis {
    this.#redis ??= new Redis(this.services.redisUrl);
    return this.#redis;
  }

  /** Removes all keys of this installation from Redis, as FLUSHALL would: queues, leases, weight. */
  async wipeRedis(): Promise<void> {
    await this.#forget(`*${this.name}:*`);
  }

  /** Ends all pauses, as if their time had passed; a ban stays in the store. */
  async liftPauses(): Promise<void> {
    await this.#forget(`*${this.name}:pause:*`);
  }

  /** Ends all leases, also that of the schema, as if the time of a killed process had passed. Needs own services. */
  async expireLeases(): Promise<void> {
    expect(this.#mayFail).toBe(true);
    await this.#forget('*:lease:*');
  }

  async #forget(match: string): Promise<void> {
    const redis = this.redis();
    const keys = redis.scanStream({ match, count: 1_000 }) as AsyncIterable<string[]>;
    for await (const found of keys) if (found.length > 0) await redis.unlink(found);
  }

  /** Requests of pages by id, which are the cost of hours besides the search for their start. */
  pages(symbol: string): RequestEntry[] {
    return this.exchange.requests
      .tradeRequests()
      .filter(({ query }) => query['symbol'] === symbol && query['fromId'] !== undefined);
  }

  async dispose(): Promise<void> {
    for (const command of this.#commands) command.kill('SIGKILL');
    await Promise.all(this.#workers.map(async (workers) => workers.stop()));
    const leasesLeft = await this.#leasesLeft();
    await Promise.all(this.#raw.map(async (queue) => queue.close()));
    await Promise.all(this.#apps.map(async (app) => app.close()));
    await this.wipeRedis();
    this.#redis?.disconnect();
    await this.exchange.close();
    await this.#archive?.close();
    expect(leasesLeft, 'leases that were not released').toEqual([]);
  }

  /**
   * Leases that are still held after all work has ended. Empty when a command was killed: its leases expire
   * by themselves. With services that may fail, waits a lease's time, since leases that could not be released
   * expire too.
   */
  async #leasesLeft(): Promise<readonly string[]> {
    const ended = await Promise.all(this.#commands.map(async ({ done }) => done));
    if (ended.some(({ exitCode }) => exitCode === undefined)) return [];
    const endMs = performance.now() + (this.#mayFail ? LEASE_MS : RELEASE_MS);
    for (;;) {
      const left = await this.redis().keys(`*${this.name}:lease:*`);
      if (left.length === 0 || performance.now() > endMs) return left;
      await sleep(POLL_MS);
    }
  }
}

/** Polls a state instead of sleeping. @throws Error when it is not reached in time */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await sleep(POLL_MS);
  }
}

export function um(symbol: string): Series {
  return { market: 'binance_um', symbol };
}

export function cm(symbol: string): Series {
  return { market: 'binance_cm', symbol };
}

export function spot(symbol: string): Series {
  return { market: 'binance_spot', symbol };
}
