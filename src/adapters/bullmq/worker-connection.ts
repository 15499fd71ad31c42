import { Redis } from 'ioredis';
import type { Log } from '../../ports/log.ts';
import { ThrottledWarning } from './throttled-warning.ts';

const CONNECT_MS = 5_000;
const RECONNECT_MAX_MS = 2_000;

/** The name by which Redis lists the connection of a worker process. */
export function workerClientName(prefix: string): string {
  return `${prefix}:worker`;
}

/**
 * One connection for the commands of all workers. BullMQ duplicates it for each worker's blocking read and
 * ends the copies itself, but not while Redis is unreachable: end() ends them then.
 */
export class WorkerConnection {
  readonly redis: Redis;
  readonly #copies: Redis[] = [];

  constructor(redisUrl: string, prefix: string, log: Log) {
    this.redis = new Redis(redisUrl, {
      connectionName: workerClientName(prefix),
      connectTimeout: CONNECT_MS,
      // Results wait until Redis is back, without a limit. BullMQ requires this setting, too.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(times, 10)),
    });
    const warning = new ThrottledWarning(log);
    this.redis.on('error', (error: Error) =>
      warning.warn('The workers’ Redis connection failed; reconnecting', error),
    );
    const duplicate = this.redis.duplicate.bind(this.redis);
    this.redis.duplicate = (override) => {
      const copy = duplicate(override);
      // BullMQ removes its listener when it closes. The connection above logs outages.
      copy.on('error', (error: Error) =>
        log.debug({ error: error.message }, 'A blocking Redis connection failed'),
      );
      this.#copies.push(copy);
      return copy;
    };
  }

  end(): void {
    for (const redis of [this.redis, ...this.#copies]) {
      // Disconnecting an ended connection would start a timer that keeps the process alive for 2 s.
      if (redis.status !== 'end') redis.disconnect();
    }
  }
}
