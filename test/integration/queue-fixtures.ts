import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlowProducer, type Job, Queue, Worker, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type { Log } from '../../src/ports/log.ts';

export interface LogLine {
  readonly level: keyof Log;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that keeps its lines. */
export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: keyof Log) => (fields: LogLine['fields'], message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Polls a state instead of sleeping; only a failing test reaches the timeout. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`never happened: ${what}`);
    await sleep(10);
  }
}

export function uniquePrefix(): string {
  return `test-${randomUUID()}`;
}

/** A promise that the test resolves. */
export function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: () => resolve(), opened: promise };
}

/** Raw BullMQ under its own prefix; `dispose` closes what it made and removes its keys. */
export class Bench {
  readonly url = inject('services').redisUrl;
  readonly prefix = uniquePrefix();
  readonly redis = new Redis(this.url);
  readonly flows = new FlowProducer({ connection: { url: this.url }, prefix: this.prefix });
  readonly #queues: Queue[] = [];
  readonly #workers: Worker[] = [];

  queue(name: string): Queue {
    const queue = new Queue(name, { connection: { url: this.url }, prefix: this.prefix });
    this.#queues.push(queue);
    return queue;
  }

  worker(
    name: string,
    process: (job: Job, token: string) => Promise<unknown>,
    options: Partial<WorkerOptions> = {},
  ): Worker {
    const worker = new Worker(name, async (job, token = '') => process(job, token), {
      connection: { url: this.url },
      prefix: this.prefix,
      ...options,
    });
    worker.on('error', () => {});
    this.#workers.push(worker);
    return worker;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => worker.close(true)));
    await Promise.all([...this.#queues.map(async (queue) => queue.close()), this.flows.close()]);
    await removeKeys(this.redis, this.prefix);
    this.redis.disconnect();
  }
}

export async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({
    match: `${prefix}:*`,
    count: 1_000,
  }) as AsyncIterable<string[]>) {
    if (keys.length > 0) await redis.unlink(keys);
  }
}

/** Bytes of Redis memory that the keys under a prefix use; the server's total would count other tests' keys. */
export async function keyBytes(redis: Redis, prefix: string): Promise<number> {
  let bytes = 0;
  for await (const keys of redis.scanStream({
    match: `${prefix}:*`,
    count: 1_000,
  }) as AsyncIterable<string[]>) {
    const sizes = await Promise.all(
      keys.map(async (key) => redis.memory('USAGE', key, 'SAMPLES', 0)),
    );
    bytes += sizes.reduce<number>((sum, size) => sum + Number(size), 0);
  }
  return bytes;
}
