import { Redis } from 'ioredis';
import { CdvaultError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { redisCall } from './redis-call.ts';

/** A Redis on the same host connects in milliseconds, a remote managed one within a second. */
const CONNECT_MS = 5_000;

/** Longest wait between two attempts to reconnect. */
const RECONNECT_MAX_MS = 2_000;

/**
 * Attempts to reconnect (about 3 s in total) before queued commands fail. They must not be sent minutes
 * later, when their callers have given up (a late SET of a lease would block its name).
 */
const RECONNECTS_PER_COMMAND = 5;

/** At most one log line about a broken connection in this time, instead of one for each attempt. */
const ERROR_LOG_EVERY_MS = 30_000;

/**
 * A client for short commands (not for blocking ones). It connects in the background, reconnects by
 * itself, and never crashes the process. Commands wait in its queue while it is disconnected, so every
 * use goes through `redisCall`, which sets a deadline.
 * @param url redis://, rediss:// (TLS) with optional user, password and database
 * @throws CdvaultError SERVICES_CONFIG when the URL is not a redis:// or rediss:// URL
 */
export function createRedis(url: string, deps: { log: Log; connectionName?: string }): Redis {
  const options = {
    connectionName: deps.connectionName ?? 'cdvault',
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: RECONNECTS_PER_COMMAND,
    retryStrategy: (times: number) => Math.min(RECONNECT_MAX_MS, 50 * 2 ** Math.min(times, 10)),
  };
  const redis = new Redis(checkedUrl(url), options);
  let loggedAtMs = -Infinity;
  redis.on('error', (error: Error) => {
    if (performance.now() - loggedAtMs < ERROR_LOG_EVERY_MS) return;
    loggedAtMs = performance.now();
    deps.log.warn({ error: error.message }, 'Redis connection failed; reconnecting');
  });
  return redis;
}

function checkedUrl(url: string): string {
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol === 'redis:' || protocol === 'rediss:') return url;
  // The message does not quote the URL: it may hold a password.
  throw new CdvaultError('SERVICES_CONFIG', 'REDIS_URL is not a redis:// or rediss:// URL');
}

type Askable = Pick<Redis, 'ping' | 'config' | 'info'>;

/**
 * Checks that this Redis keeps queued work; warns when it has no append-only file.
 * @throws CdvaultError REDIS_UNREACHABLE when it does not answer in 5 s; REDIS_POLICY when it may evict keys
 */
export async function checkRedis(redis: Askable, log: Log): Promise<void> {
  await redisCall('answer a PING', () => redis.ping());
  const { policy, appendOnly, isAppendOnly } = await readSettings(redis);
  if (policy !== 'noeviction') {
    throw new CdvaultError(
      'REDIS_POLICY',
      `Redis has maxmemory-policy ${policy ?? 'unknown'}, not noeviction`,
    );
  }
  if (!isAppendOnly) {
    log.warn(
      { appendonly: appendOnly },
      'Redis has no append-only file: queued work that a crash loses must be planned again',
    );
  }
}

/** The settings on which the queue depends. */
export async function readSettings(redis: Askable): Promise<{
  readonly policy: string | undefined;
  /** As the server says it: yes or 1. */
  readonly appendOnly: string | undefined;
  readonly isAppendOnly: boolean;
}> {
  const policy = await readSetting(redis, 'maxmemory-policy', 'memory', 'maxmemory_policy');
  const appendOnly = await readSetting(redis, 'appendonly', 'persistence', 'aof_enabled');
  return { policy, appendOnly, isAppendOnly: appendOnly === 'yes' || appendOnly === '1' };
}

/** Uses CONFIG GET, or INFO where CONFIG is forbidden (managed services rename it, ACLs deny it). */
async function readSetting(
  redis: Askable,
  setting: string,
  section: string,
  field: string,
): Promise<string | undefined> {
  try {
    const reply = await redisCall(`return its ${setting}`, () => redis.config('GET', setting));
    const [, value] = Array.isArray(reply) ? reply : [];
    if (typeof value === 'string') return value;
  } catch (error) {
    if (!(error instanceof CdvaultError) || error.code !== 'REDIS_REFUSED') throw error;
  }
  const info = await redisCall(`return its ${section} INFO`, () => redis.info(section));
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
