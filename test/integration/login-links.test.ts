import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { createLoginLinks } from '../../src/adapters/redis/login-links.ts';
import { createServeAddress } from '../../src/adapters/redis/serve-address.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { LoginLinks } from '../../src/ports/login-links.ts';
import { unique } from '../support/command-line.ts';
import { silentLog } from '../unit/binance/fakes.ts';

const keyPrefix = unique('login-test-');
let redis: Redis;
let links: LoginLinks;

beforeAll(() => {
  redis = createRedis(inject('services').redisUrl, { log: silentLog });
  links = createLoginLinks({ redis, keyPrefix });
});

afterAll(() => redis.disconnect());

describe('a login link', () => {
  test('works once, also when it is used twice at the same time', async () => {
    const token = await links.create();
    expect(token).toMatch(/^[\w-]{43}$/);
    const used = await Promise.all([1, 2, 3].map(() => links.redeem(token)));
    expect(used.filter(Boolean)).toHaveLength(1);
    expect(await links.redeem(token)).toBe(false);
  });

  test('is a hash in Redis, which expires after ten minutes', async () => {
    const token = await links.create();
    const key = `${keyPrefix}:login:${createHash('sha256').update(token).digest('hex')}`;
    const keys = await redis.keys(`${keyPrefix}:*`);
    expect(keys).toEqual([key]);
    const leftMs = await redis.pttl(key);
    expect(leftMs).toBeGreaterThan(590_000);
    expect(leftMs).toBeLessThanOrEqual(600_000);
    expect(await redis.get(key)).not.toContain(token);
    await redis.pexpire(key, 0);
    expect(await links.redeem(token)).toBe(false);
  });

  test('of another installation does not work', async () => {
    const other = createLoginLinks({ redis, keyPrefix: unique('login-test-') });
    const token = await links.create();
    expect(await other.redeem(token)).toBe(false);
    expect(await links.redeem(token)).toBe(true);
  });
});

describe('the address of serve', () => {
  const at = (port: number) => ({
    own: `http://127.0.0.1:${port}`,
    url: `https://cdv${port}.example.com`,
  });

  test('is found while it is announced, and removed at the end unless another has taken its place', async () => {
    const address = createServeAddress({ redis, keyPrefix, clock: systemClock, log: silentLog });
    const [first, second] = [new AbortController(), new AbortController()];
    expect(await address.find()).toBeUndefined();
    const firstEnded = address.announce(at(1), first.signal);
    await expect.poll(() => address.find()).toEqual(at(1));
    const leftMs = await redis.pttl(`${keyPrefix}:serve`);
    expect(leftMs).toBeGreaterThan(50_000);
    expect(leftMs).toBeLessThanOrEqual(60_000);

    const secondEnded = address.announce(at(2), second.signal);
    await expect.poll(() => address.find()).toEqual(at(2));
    first.abort();
    await firstEnded;
    expect(await address.find()).toEqual(at(2));
    second.abort();
    await secondEnded;
    expect(await address.find()).toBeUndefined();
  });

  test('is announced again every 20 seconds', async () => {
    const slept: number[] = [];
    const clock = {
      ...systemClock,
      sleep: async (ms: number) => {
        slept.push(ms);
        if (slept.length === 1) await redis.del(`${keyPrefix}:serve`);
        else if (slept.length === 2) {
          expect(await address.find()).toEqual(at(3));
          end.abort();
        }
      },
    };
    const end = new AbortController();
    const address = createServeAddress({ redis, keyPrefix, clock, log: silentLog });
    await address.announce(at(3), end.signal);
    expect(slept).toEqual([20_000, 20_000]);
  });
});
