import { Redis } from 'ioredis';
import pg from 'pg';
import { Agent } from 'undici';
import { CdvaultError } from '../../domain/errors.ts';
import { systemClock } from '../system/clock.ts';
import type { ServicesOptions, ServiceUrls } from './types.ts';

const PROBE_TIMEOUT_MS = 3_000;
const SAY_EVERY_MS = 5_000;
const POLL_MS = 50;
/** Before they answer, Redis replays its whole log and QuestDB opens every table. */
const READY_TIMEOUT_MS = 300_000;

/**
 * One round trip with the URL's credentials, in its database.
 * @throws CdvaultError SERVICES_CONFIG when the database is not a number; else the error of the server or
 *   the network
 */
export async function probeRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PROBE_TIMEOUT_MS,
    commandTimeout: PROBE_TIMEOUT_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  });
  const { db = 0 } = redis.options;
  if (!Number.isSafeInteger(db) || db < 0)
    throw new CdvaultError('SERVICES_CONFIG', 'REDIS_URL does not name its database by a number');
  let reason: unknown;
  // The event has the reason ("ECONNREFUSED"); the promise only reports that the connection closed.
  redis.on('error', (error: unknown) => {
    reason = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    // When the server has no such database, the client silently uses database 0. This command fails.
    if (db > 0) await redis.select(db);
  } catch (error) {
    throw reason ?? error;
  } finally {
    redis.disconnect();
  }
}

/** Instead of the process's global agent, which may use a proxy (NODE_USE_ENV_PROXY). */
const direct = new Agent();

/** The server answered and refused the credentials. */
class Refused extends Error {}

/** Whether a probe of QuestDB failed although the server answered. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Refused || error instanceof pg.DatabaseError;
}

/** Writes no row. /ping would not do: it answers without checking the credentials. */
export async function probeQuestdbHttp(url: string): Promise<void> {
  const { origin, username, password } = new URL(url);
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const { statusCode, body } = await direct.request({
    origin,
    path: '/write',
    method: 'POST',
    body: '',
    headers:
      username === ''
        ? {}
        : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    reset: true,
  });
  await body.dump();
  if (statusCode === 204) return;
  const answer = `POST /write answered HTTP ${statusCode} instead of 204`;
  throw statusCode === 401 || statusCode === 403 ? new Refused(answer) : new Error(answer);
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

/** @throws Error when no `serve` answers at the URL */
export async function probeServe(url: string): Promise<void> {
  const { statusCode, body } = await direct.request({
    origin: url,
    path: '/healthz',
    method: 'GET',
    signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    reset: true,
  });
  const answer = await body.text();
  if (statusCode !== 200 || answer !== '{"alive":true}')
    throw new Error(`GET /healthz answered HTTP ${statusCode}: ${answer.slice(0, 100)}`);
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
  /** Why the service can't become ready any more; undefined while it may. */
  readonly dead: () => string | undefined;
  readonly logTail: () => string;
  readonly slowBecause: string;
}

/**
 * Polls until the service answers; stops at once when its process is gone.
 * @throws CdvaultError SERVICE_START_FAILED
 */
export async function waitUntilReady(wait: Wait, options: ServicesOptions): Promise<void> {
  const started = Date.now();
  let saidAt = started;
  for (;;) {
    options.signal.throwIfAborted();
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
    await systemClock.sleep(POLL_MS, options.signal);
  }
}
