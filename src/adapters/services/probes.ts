import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { request } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import type { ServicesOptions, ServiceUrls } from './types.ts';

const PROBE_TIMEOUT_MS = 3_000;
const SAY_EVERY_MS = 5_000;
const POLL_MS = 50;
/** Redis replays its whole log and QuestDB opens every table before they answer. */
const READY_TIMEOUT_MS = 300_000;

/** One round trip with the credentials; throws what the server or the network said. */
export async function probeRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PROBE_TIMEOUT_MS,
    commandTimeout: PROBE_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  let reason: unknown;
  // The event carries the reason ("ECONNREFUSED"); the promise only says that the connection closed.
  redis.on('error', (error: unknown) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

export async function probeQuestdbHttp(url: string): Promise<void> {
  const { origin } = new URL(url);
  const { statusCode, body } = await request(`${origin}/ping`, {
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    reset: true,
  });
  await body.dump();
  if (statusCode !== 204) throw new Error(`GET /ping answered ${statusCode} instead of 204`);
}

export async function probeQuestdbPg(url: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    query_timeout: PROBE_TIMEOUT_MS,
  });
  // A connection that breaks after the answer must not become an unhandled 'error' event.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function probeQuestdb(urls: ServiceUrls): Promise<void> {
  await probeQuestdbHttp(urls.questdbHttpUrl);
  await probeQuestdbPg(urls.questdbPgUrl);
  await probeQuestdbPg(urls.questdbReadonlyPgUrl);
}

export async function answers(probe: () => Promise<void>): Promise<boolean> {
  try {
    await probe();
    return true;
  } catch {
    return false;
  }
}

interface Wait {
  readonly name: string;
  readonly probe: () => Promise<void>;
  /** Why waiting on is useless, or undefined while there is hope. */
  readonly dead: () => string | undefined;
  readonly logTail: () => string;
  readonly slowBecause: string;
}

/** Polls until the service answers; stops at once when its process is gone. */
export async function waitUntilReady(wait: Wait, options: ServicesOptions): Promise<void> {
  const started = Date.now();
  let saidAt = started;
  for (;;) {
    options.signal?.throwIfAborted();
    let last: unknown;
    try {
      await wait.probe();
      return;
    } catch (error) {
      last = error;
    }
    const now = Date.now();
    const dead =
      wait.dead() ??
      (now - started > READY_TIMEOUT_MS ? `no answer in ${READY_TIMEOUT_MS / 1000} s` : undefined);
    if (dead !== undefined) {
      throw new CdvaultError('SERVICE_START_FAILED', `${wait.name}: ${dead}\n${wait.logTail()}`, {
        cause: last,
      });
    }
    if (now - saidAt >= SAY_EVERY_MS) {
      saidAt = now;
      options.say(
        `still waiting for ${wait.name} (${Math.round((now - started) / 1000)} s): ${wait.slowBecause}`,
      );
    }
    await sleep(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
