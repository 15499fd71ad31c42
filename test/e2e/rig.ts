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

const POLL_MS = 50;
/** A file's tests end well before; what takes longer hangs. */
const PATIENCE_MS = 90_000;
/** A lease's whole time, and a little more. */
const LEASE_MS = 25_000;
const RELEASE_MS = 2_000;

export interface RigOptions extends Partial<ExchangeOptions> {
  readonly services?: ServiceUrls;
  /** Slices at a time; default 8. */
  readonly concurrency?: number;
  /** Default: a host without any file. */
  readonly archiveUrl?: string;
}

/** One installation: a simulated exchange, a Redis prefix, a weight budget; ends what it started. */
export class Rig {
  readonly services: ServiceUrls;
  readonly exchange: Exchange;
  readonly name = unique('e2e-');
  readonly env: Readonly<Record<string, string>>;
  readonly archiveUrl: string;
  readonly #archive: ArchiveServer | undefined;
  readonly #concurrency: number;
  /** Services of the test's own, which it may break. */
  readonly #mayFail: boolean;
  readonly #apps: App[] = [];
  readonly #workers: JobWorkers[] = [];
  readonly #raw: Queue[] = [];
  readonly #commands: CliProcess[] = [];
  #redis: Redis | undefined;

  static async start(options: RigOptions): Promise<Rig> {
    // Most tests are about other things than weight.
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

  /** Wired as a command would be, and ready. */
  async app(): Promise<App> {
    const home = path.join(import.meta.dirname, '../../.cdvault/test');
    const app = compose(loadConfig({ home }, this.env), this.services);
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
   * As the backfill command, but for its look at the costs: every trade request is a slice's own.
   * Returns when nothing waits in the queues any more.
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
   * A job adds what follows from it before it ends, so idle once is idle for good. The queues are
   * counted one beside the other, though, and a job may pass from one to the next between two counts:
   * idle is what looks so twice.
   */
  async untilIdle(app: App): Promise<void> {
    let idleLooks = 0;
    await eventually('the queues are empty', async () => {
      const isIdle = (await app.queue.counts())
        .filter(({ kind }) => kind !== 'tick')
        .every(({ waiting, active, delayed }) => waiting + active + delayed === 0);
      idleLooks = isIdle ? idleLooks + 1 : 0;
      return idleLooks === 2;
    });
  }

  /** BullMQ's own view of one of our queues. */
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

  /** Everything that Redis knows of this installation is gone, as after FLUSHALL: queues, leases, weight. */
  async wipeRedis(): Promise<void> {
    await this.#forget(`*${this.name}:*`);
  }

  /** As when the time of all pauses has passed; what the store remembers of a ban stays. */
  async liftPauses(): Promise<void> {
    await this.#forget(`*${this.name}:pause:*`);
  }

  async #forget(match: string): Promise<void> {
    const redis = this.redis();
    const keys = redis.scanStream({ match, count: 1_000 }) as AsyncIterable<string[]>;
    for await (const found of keys) if (found.length > 0) await redis.unlink(found);
  }

  /** Requests of pages by id: what fetching hours costs besides finding where they start. */
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
    expect(leasesLeft, 'leases that nobody gave back').toEqual([]);
  }

  /**
   * Once nobody works any more. What a command held when it was killed runs out by itself, and so does
   * what could not be given back to services that failed.
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

/** Waits on a state, not on a time. */
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
