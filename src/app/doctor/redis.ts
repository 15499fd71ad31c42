import type { RedisFacts } from '../../ports/doctor.ts';
import { fail, ok, type Verdict, warn } from './check.ts';
import { bytesText, timeText } from './wording.ts';

/**
 * A Redis on the same machine or network answers in a few milliseconds at most, and a job needs about ten
 * round trips: with more than this, waits for Redis take longer than the requests to the exchange.
 */
const SLOW_MS = 50;

/** The oldest major version that the documentation promises. */
const OLDEST = 7;

const NEARLY_FULL = 0.75;
const FULL = 0.95;

export function latency({ pingMs }: RedisFacts): Verdict {
  const figures = { pingMs };
  if (pingMs <= SLOW_MS) return ok(`PING takes ${timeText(pingMs)}`, figures);
  return warn(
    `PING takes ${timeText(pingMs)}, more than ${SLOW_MS} ms`,
    'Run workers near Redis; look for slow commands: redis-cli SLOWLOG GET',
    figures,
  );
}

export function redisVersion({ version }: RedisFacts): Verdict {
  const major = Number(version?.split('.')[0]);
  if (version === undefined || Number.isNaN(major))
    return warn('it does not say its version', `Run Redis ${OLDEST} or later.`);
  const figures = { version };
  if (major >= OLDEST) return ok(version, figures);
  return warn(`${version} is not tested`, `Run Redis ${OLDEST} or later.`, figures);
}

export function policy({ policy: found = 'unknown' }: RedisFacts): Verdict {
  const figures = { policy: found };
  if (found === 'noeviction') return ok(found, figures);
  return fail(
    `${found}: it may drop queued jobs to save memory`,
    'redis-cli CONFIG SET maxmemory-policy noeviction',
    figures,
    'REDIS_POLICY',
  );
}

export function appendOnly({ isAppendOnly }: RedisFacts): Verdict {
  const figures = { isAppendOnly };
  if (isAppendOnly) return ok('on', figures);
  return warn(
    'off: a crash of Redis loses queued work, which must be planned again',
    'redis-cli CONFIG SET appendonly yes',
    figures,
  );
}

/** Of a Redis without a limit, the machine's memory is the limit. */
export function memory({ usedBytes, mostBytes, machineBytes }: RedisFacts): Verdict {
  const isLimited = mostBytes > 0;
  const limitBytes = isLimited ? mostBytes : machineBytes;
  const figures = { usedBytes, limitBytes, isLimited };
  const of = isLimited ? 'maxmemory' : 'the machine';
  if (limitBytes <= 0) return ok(`${bytesText(usedBytes)} used`, figures);
  const fact = `${bytesText(usedBytes)} used of ${bytesText(limitBytes)} (${of})`;
  const part = usedBytes / limitBytes;
  if (part < NEARLY_FULL) return ok(fact, figures);
  const cure = isLimited
    ? 'Raise it: redis-cli CONFIG SET maxmemory 2gb. See what fills it: redis-cli --bigkeys'
    : 'See what fills it: redis-cli --bigkeys';
  return part < FULL
    ? warn(fact, cure, figures)
    : fail(`${fact}: it refuses writes when it is full`, cure, figures, 'REDIS_REFUSED');
}
