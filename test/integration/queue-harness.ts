import { type ChildProcess, fork } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { createJobQueue } from '../../src/adapters/bullmq/job-queue.ts';
import {
  type JobEvent,
  startWorkers,
  type WorkersDeps,
} from '../../src/adapters/bullmq/workers.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import type { DayWork } from '../../src/domain/plan/plan.ts';
import type { JobHandlers, JobOutcome, JobQueue, JobWorkers } from '../../src/ports/job-queue.ts';
import { eventually, recordingLog, removeKeys, uniquePrefix } from './queue-fixtures.ts';
import type { WorkerOrders } from './queue-worker-orders.ts';

export const BTC = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
export const DAY = Date.UTC(2024, 0, 1);
export const DONE: JobOutcome = { done: true };

/** Days from 2024-01-01 on, each with its first `hours` hours. */
export function days(count: number, hours: number): DayWork[] {
  return Array.from({ length: count }, (_, day) => {
    const dayMs = DAY + day * DAY_MS;
    return { dayMs, hours: Array.from({ length: hours }, (__, hour) => dayMs + hour * HOUR_MS) };
  });
}

/** Both sides of our adapter under their own prefix; `dispose` ends what it started. */
export class Harness {
  readonly url: string;
  readonly prefix = uniquePrefix();
  readonly log = recordingLog();
  readonly events: JobEvent[] = [];
  readonly queue: JobQueue;
  readonly redis = new Redis(inject('services').redisUrl);
  readonly #workers: JobWorkers[] = [];
  readonly #raw: Queue[] = [];

  constructor(url: string = inject('services').redisUrl) {
    this.url = url;
    this.queue = createJobQueue({ redisUrl: url, prefix: this.prefix, log: this.log });
  }

  /** Starts workers; job kinds without a handler get none. */
  work(handlers: Partial<JobHandlers>, deps: Partial<WorkersDeps> = {}): JobWorkers {
    const unexpected = async (): Promise<never> => {
      throw new Error('unexpected job');
    };
    const kinds = ['feed', 'archive', 'slice', 'bars', 'chain', 'tick'] as const;
    const absent = Object.fromEntries(
      kinds.filter((kind) => handlers[kind] === undefined).map((kind) => [kind, 0]),
    );
    const workers = startWorkers({
      redisUrl: this.url,
      prefix: this.prefix,
      log: this.log,
      handlers: {
        feed: unexpected,
        archive: unexpected,
        slice: unexpected,
        bars: unexpected,
        chain: unexpected,
        tick: unexpected,
        ...handlers,
      },
      markets: ['binance_spot'],
      onEvent: (event) => this.events.push(event),
      ...deps,
      concurrency: { ...absent, ...deps.concurrency },
    });
    this.#workers.push(workers);
    return workers;
  }

  /** One of our queues as BullMQ sees it. */
  raw(name: string): Queue {
    const queue = new Queue(name, {
      connection: { url: inject('services').redisUrl },
      prefix: this.prefix,
    });
    this.#raw.push(queue);
    return queue;
  }

  eventTypes(): string[] {
    return this.events.map(({ type, kind }) => `${type} ${kind}`);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#workers.map(async (workers) => workers.stop()));
    await Promise.all([this.queue.close(), ...this.#raw.map(async (queue) => queue.close())]);
    await removeKeys(this.redis, this.prefix);
    this.redis.disconnect();
  }
}

export class WorkerProcess {
  readonly process: ChildProcess;
  readonly #said: string[] = [];

  constructor(orders: WorkerOrders) {
    this.process = fork(
      fileURLToPath(new URL('./queue-worker-process.ts', import.meta.url)),
      [JSON.stringify(orders)],
      {
        stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      },
    );
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said.push(...text.split('\n').filter((line) => line !== ''));
    });
  }

  said(line: string): boolean {
    return this.#said.includes(line);
  }

  get lines(): readonly string[] {
    return this.#said;
  }

  async untilSaid(line: string): Promise<void> {
    await eventually(`the process says ${line}`, () => this.said(line));
  }

  /** @returns its exit code */
  async untilExit(timeoutMs: number): Promise<number | null> {
    await eventually(
      'the process ends',
      () => this.process.exitCode !== null || this.process.signalCode !== null,
      timeoutMs,
    );
    return this.process.exitCode;
  }
}

/** A connection to the real Redis that can be cut and mended, so that Redis seems to go away. */
export class RedisLine {
  readonly #target = new URL(inject('services').redisUrl);
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  async mend(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(Number(this.#target.port || 6379), this.#target.hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    const server = this.#server;
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', () => resolve());
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** Breaks connections and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
