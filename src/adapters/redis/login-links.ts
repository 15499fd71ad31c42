import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { LoginLinks } from '../../ports/login-links.ts';
import { redisCall } from './redis-call.ts';

/** As docs/serve.md says: ten minutes. */
const TTL_MS = 10 * 60_000;

/** Redis has the hashes of the tokens only, so nothing that reads it can use a link. */
export function createLoginLinks(deps: {
  readonly redis: Redis;
  /** Separates installations that share a Redis. */
  readonly keyPrefix: string;
}): LoginLinks {
  const { redis, keyPrefix } = deps;
  const keyOf = (token: string): string =>
    `${keyPrefix}:login:${createHash('sha256').update(token).digest('hex')}`;
  return {
    async create() {
      const token = randomBytes(32).toString('base64url');
      await redisCall('store a login link', () => redis.set(keyOf(token), '1', 'PX', TTL_MS));
      return token;
    },
    async redeem(token) {
      const found = await redisCall('look up a login link', () => redis.getdel(keyOf(token)));
      return found !== null;
    },
  };
}
