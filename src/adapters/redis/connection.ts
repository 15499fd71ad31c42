import { Redis } from 'ioredis';
import { CdvaultError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import { redisCall } from './redis-call.ts';

/** A Redis on the same host connects in milliseconds, a managed one abroad within a second. */
const CONNECT_MS = 5_000;

/** How long a broken connection waits between tries at most. */
const RECONNECT_MAX_MS = 2_000;

/**
 * Tries to reconnect (together about 3 s) before queued commands fail: they must not be sent minutes
 * later, when nobody waits for them any more (a late SET of a lease would block its name).
 */
const RECONNECTS_PER_COMMAND = 5;

/** One line about a broken connection in this time, not one for each of its tries. */
const ERROR_LOG_EVERY_MS = 30_000;

/**
 * A client for short commands (not for blocking ones). It connects in the background, reconnects by
 * itself, and never crashes the process; commands wait in its queue meanwhile, so every use goes
 * through `redisCall`, which sets a deadline.
 * @param url redis://, rediss:// (TLS) with optional user, password and database
 * @throws CdvaultError SERVICES_CONFIG when the URL is not one of Redis
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
  // The URL may hold a password: it is not repeated here.
  throw new CdvaultError('SERVICES_CONFIG', 'REDIS_URL is not a redis:// or rediss:// URL');
}

type Askable = Pick<Redis, 'ping' | 'config' | 'info'>;

/**
 * Whether this Redis can be trusted with queued work.
 * @throws CdvaultError REDIS_UNREACHABLE when it does not answer in 5 s; REDIS_POLICY when it may evict keys
 */
export async function checkRedis(redis: Askable, log: Log): Promise<void> {
  await redisCall('answer a PING', () => redis.ping());
  const policy = await readSetting(redis, 'maxmemory-policy', 'memory', 'maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new CdvaultError(
      'REDIS_POLICY',
      `Redis has maxmemory-policy ${policy ?? 'unknown'}, not noeviction`,
    );
  }
  const appendOnly = await readSetting(redis, 'appendonly', 'persistence', 'aof_enabled');
  if (appendOnly !== 'yes' && appendOnly !== '1') {
    log.warn(
      { appendonly: appendOnly },
      'Redis has no append-only file: a crash loses queued work (it is planned again)',
    );
  }
}

/** By CONFIG GET, or by INFO where CONFIG is forbidden (managed services rename it, ACLs withhold it). */
async function readSetting(
  redis: Askable,
  setting: string,
  section: string,
  field: string,
): Promise<string | undefined> {
  try {
    const reply = await redisCall(`tell its ${setting}`, () => redis.config('GET', setting));
    const [, value] = Array.isArray(reply) ? reply : [];
    if (typeof value === 'string') return value;
  } catch (error) {
    if (!(error instanceof CdvaultError) || error.code !== 'REDIS_REFUSED') throw error;
  }
  const info = await redisCall(`tell its ${section} INFO`, () => redis.info(section));
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}
