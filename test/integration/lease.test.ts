import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  vi,
} from 'vitest';
import { checkRedis, createRedis } from '../../src/adapters/redis/connection.ts';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type { Lease, Leases } from '../../src/ports/lease.ts';
import { silentLog } from '../unit/binance/fakes.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';

const { redisUrl } = inject('services');
const keyPrefix = `lease-test-${process.pid}-${Date.now()}`;
const TTL_MS = 600;

let redis: Redis;
let proxy: TcpProxy;
let throughProxy: Redis;
let nameCount = 0;
let name = '';
const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown): void => {
  unhandled.push(reason);
};

beforeAll(() => {
  process.on('unhandledRejection', noteUnhandled);
  redis = createRedis(redisUrl, { log: silentLog });
});

beforeEach(async () => {
  const url = new URL(redisUrl);
  proxy = await startTcpProxy(Number(url.port), url.hostname);
  url.host = `127.0.0.1:${proxy.port}`;
  throughProxy = createRedis(url.href, { log: silentLog });
  nameCount += 1;
  name = `slice-spot-TEST-${nameCount}`;
});

afterEach(async () => {
  vi.restoreAllMocks();
  throughProxy.disconnect();
  await proxy.close();
  expect(unhandled).toEqual([]);
});

afterAll(async () => {
  process.off('unhandledRejection', noteUnhandled);
  await redis.quit();
});

const leasesOn = (client: Redis, refreshMs?: number): Leases => leasesOf(client, TTL_MS, refreshMs);

/** @param ttlMs the deadline for an answer of Redis is half of it, at most five seconds */
function leasesOf(client: Redis, ttlMs: number, refreshMs?: number): Leases {
  return createLeases({
    redis: client,
    keyPrefix,
    log: silentLog,
    ttlMs,
    ...(refreshMs === undefined ? {} : { refreshMs }),
  });
}

async function held(leases: Leases, names: string | readonly string[] = name): Promise<Lease> {
  const lease = await leases.tryAcquire(names);
  if (lease === undefined) throw new Error(`${name} is taken`);
  return lease;
}

const keyOf = (leased: string): string => `${keyPrefix}:lease:${leased}`;

/** Names that are leased, of this test only. */
async function leased(): Promise<string[]> {
  const keys = await redis.keys(keyOf(`${name}*`));
  return keys.map((key) => key.slice(keyOf('').length)).toSorted();
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof CdvaultError ? error.code : String(error);
}

/** Sets the key as another owner would. */
async function giveToAnother(given = name): Promise<void> {
  await redis.set(keyOf(given), 'another', 'PX', 10_000);
}

describe('a lease', () => {
  it('has one owner among two, until it is released', async () => {
    const mine = await held(leasesOn(redis));
    expect(await leasesOn(throughProxy).tryAcquire(name)).toBeUndefined();
    expect(await leasesOn(redis).tryAcquire(name)).toBeUndefined();
    await mine.release();
    await (await held(leasesOn(throughProxy))).release();
  });

  it('has one owner among many at the same moment', async () => {
    const tries = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        leasesOn(index % 2 ? redis : throughProxy).tryAcquire(name),
      ),
    );
    const owners = tries.filter((lease) => lease !== undefined);
    expect(owners).toHaveLength(1);
    await owners[0]?.release();
  });

  it('renews itself, long after its first expiry', async () => {
    const lease = await held(leasesOn(redis));
    await delay(3 * TTL_MS);
    expect(lease.signal.aborted).toBe(false);
    await lease.assertHeld(TTL_MS / 2);
    expect(await leasesOn(redis).tryAcquire(name)).toBeUndefined();
    await lease.release();
  });

  it('is free again some time after its owner died', async () => {
    const lease = await held(leasesOn(throughProxy));
    await proxy.cut();
    await expect
      .poll(async () => (await leasesOn(redis).tryAcquire(name)) !== undefined, { timeout: 5_000 })
      .toBe(true);
    await lease.release();
  });

  it('that went to another fails for the late owner, which can’t release it', async () => {
    const late = await held(leasesOn(redis, 60_000));
    await giveToAnother();
    expect(await codeOf(late.assertHeld(100))).toBe('LEASE_LOST');
    expect(late.signal.aborted).toBe(true);
    expect(late.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
    await late.release();
    expect(await leasesOn(redis).tryAcquire(name)).toBeUndefined();
  });

  it('that expired is lost even when nobody has it now: another may have held it in between', async () => {
    const late = await held(leasesOn(redis, 60_000));
    await redis.del(keyOf(name));
    expect(await codeOf(late.assertHeld(100))).toBe('LEASE_LOST');
  });

  it('aborts its signal at the next refresh after it went to another', async () => {
    const late = await held(leasesOn(redis));
    await giveToAnother();
    await expect.poll(() => late.signal.aborted, { timeout: TTL_MS }).toBe(true);
  });

  it('is extended by assertHeld to its full time, and refuses to promise more than that', async () => {
    const lease = await held(leasesOn(redis, 60_000));
    await delay(TTL_MS / 2);
    await lease.assertHeld(TTL_MS - 100);
    await delay((TTL_MS * 3) / 4);
    await lease.assertHeld(0);
    expect(await codeOf(lease.assertHeld(TTL_MS + 1))).toBe('INTERNAL');
    await lease.release();
    expect(await codeOf(lease.assertHeld(0))).toBe('LEASE_LOST');
    expect(lease.signal.aborted).toBe(false);
  });
});

describe('a lease over several names', () => {
  let names: string[];
  beforeEach(() => {
    names = ['a', 'b', 'c'].map((letter) => `${name}-${letter}`);
  });

  it.each([0, 1, 2])('is refused as a whole while one name (%d) is taken', async (index) => {
    const taken = names[index] ?? '';
    const single = await held(leasesOn(throughProxy), taken);
    expect(await leasesOn(redis).tryAcquire(names)).toBeUndefined();
    expect(await leased()).toEqual([taken]);
    await single.release();
    await (await held(leasesOn(redis), names)).release();
  });

  it('keeps each of its names from others, alone or with free ones, until it is released', async () => {
    const mine = await held(leasesOn(redis), names);
    expect(await leased()).toEqual(names);
    for (const one of names) {
      expect(await leasesOn(throughProxy).tryAcquire(one)).toBeUndefined();
      expect(await leasesOn(throughProxy).tryAcquire([`${name}-free`, one])).toBeUndefined();
    }
    await delay(2 * TTL_MS);
    expect(await leased()).toEqual(names);
    await mine.release();
    expect(await leased()).toEqual([]);
    const singles = await Promise.all(names.map((one) => held(leasesOn(throughProxy), one)));
    await Promise.all(singles.map((lease) => lease.release()));
  });

  it('has one owner among many that want the names in another order', async () => {
    const tries = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        leasesOn(index % 2 ? redis : throughProxy).tryAcquire(
          index % 2 ? names : names.toReversed(),
        ),
      ),
    );
    const owners = tries.filter((lease) => lease !== undefined);
    expect(owners).toHaveLength(1);
    await owners[0]?.release();
  });

  it('is lost with one name; the others stay taken until it is released', async () => {
    const late = await held(leasesOf(redis, 60_000), names);
    await giveToAnother(names[1]);
    await redis.del(keyOf(names[2] ?? ''));
    await expect(late.assertHeld(100)).rejects.toMatchObject({
      code: 'LEASE_LOST',
      message: expect.stringMatching(`${names[1]} .*2 of 3 names`),
    });
    expect(late.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
    expect(await leasesOn(throughProxy).tryAcquire(names[0] ?? '')).toBeUndefined();
    await late.release();
    expect(await leased()).toEqual([names[1]]);
  });

  it.each(['stolen', 'expired'])('notices at its next refresh that one name is %s', async (how) => {
    const late = await held(leasesOn(redis), names);
    const last = names.at(-1) ?? '';
    await (how === 'stolen' ? giveToAnother(last) : redis.del(keyOf(last)));
    await expect.poll(() => late.signal.aborted, { timeout: TTL_MS }).toBe(true);
    expect(late.signal.reason).toMatchObject({
      code: 'LEASE_LOST',
      message: expect.stringMatching(`${last} .*1 of 3 names`),
    });
    await late.release();
  });

  it('takes, extends, refreshes and releases 744 names with one command each', async () => {
    const month = Array.from({ length: 744 }, (_, hour) => `${name}-${hour}`);
    const lives = async () => Promise.all(month.map(async (one) => redis.pttl(keyOf(one))));
    const sent = vi.spyOn(redis, 'sendCommand');
    // Leases of earlier tests may still refresh themselves through this client.
    const sentSince = (): string[] =>
      sent.mock.calls
        .splice(0)
        .map(([command]) => ({ command: command.name, keys: command.getKeys().map(String) }))
        .filter(({ keys }) => keys.some((key) => key.startsWith(keyOf(name))))
        .map(({ command, keys }) => `${command} of ${keys.length}`);
    const leases = leasesOf(redis, 20_000, 2_000);
    const lease = await held(leases, month);
    expect(sentSince()).toEqual(['eval of 744']);
    await delay(500);
    await lease.assertHeld(10_000);
    expect(sentSince()).toEqual(['eval of 744']);
    expect(Math.min(...(await lives()))).toBeGreaterThan(19_700);
    sentSince();
    await delay(2_000);
    expect(sentSince()).toEqual(['eval of 744']);
    expect(Math.min(...(await lives()))).toBeGreaterThan(19_000);
    sentSince();
    await lease.release();
    expect(sentSince()).toEqual(['eval of 744']);
    expect(await leased()).toEqual([]);
  });

  it('needs a name', async () => {
    expect(await codeOf(leasesOn(redis).tryAcquire([]))).toBe('INTERNAL');
  });
});

describe('when Redis is gone', () => {
  it.each(['cut', 'hang'] as const)(
    '(%s) the lease counts as lost when its time is over, not before',
    async (how) => {
      const lease = await held(leasesOn(throughProxy));
      const startedAtMs = performance.now();
      await proxy[how]();
      expect(lease.signal.aborted).toBe(false);
      await new Promise<void>((resolve) => {
        lease.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      const tookMs = performance.now() - startedAtMs;
      expect(tookMs).toBeGreaterThan(TTL_MS * 0.6);
      expect(lease.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
      expect(await codeOf(lease.assertHeld(0))).toBe('LEASE_LOST');
      await lease.release();
    },
  );

  it('the lease survives a short outage', async () => {
    const lease = await held(leasesOn(throughProxy));
    await proxy.cut();
    await delay(TTL_MS / 4);
    await proxy.heal();
    await delay(2 * TTL_MS);
    expect(lease.signal.aborted).toBe(false);
    await lease.assertHeld(TTL_MS / 2);
    await lease.release();
  });

  it('calls fail with a typed error within the lease’s time', async () => {
    const lease = await held(leasesOn(throughProxy, 60_000));
    proxy.hang();
    expect(await codeOf(lease.assertHeld(0))).toBe('REDIS_UNREACHABLE');
    expect(await codeOf(leasesOn(throughProxy).tryAcquire(`${name}-other`))).toBe(
      'REDIS_UNREACHABLE',
    );
    await lease.release();
  });

  it('a lease is granted when the connection breaks after Redis has set its keys', async () => {
    const hold = proxy.hold(name, 'answer');
    const trying = held(leasesOf(throughProxy, 20_000));
    await hold.reached;
    expect(await leased()).toEqual([name]);
    await proxy.cut();
    await proxy.heal();
    await (await trying).release();
    expect(await leased()).toEqual([]);
  });
});

describe('assertHeld fails when Redis confirms the lease', () => {
  it.each(['lost', 'released'])('after it was %s', async (how) => {
    const lease = await held(leasesOf(throughProxy, 2_000, 60_000));
    await delay(1_500);
    const hold = proxy.hold(name, 'answer');
    const asserted = codeOf(lease.assertHeld(0));
    await hold.reached;
    const released = how === 'released' ? lease.release() : undefined;
    // Before the deadline of the answer.
    if (how === 'lost') await expect.poll(() => lease.signal.aborted).toBe(true);
    hold.release();
    expect(await asserted).toBe('LEASE_LOST');
    await (released ?? lease.release());
  });
});

describe('a lease that Redis grants when its caller no longer waits', () => {
  let names: string[];
  beforeEach(() => {
    names = [name, `${name}-b`];
  });

  async function isGivenBack(withinMs: number): Promise<void> {
    await expect.poll(leased, { timeout: withinMs, interval: 20 }).toEqual([]);
    const another = await leasesOf(redis, 60_000).tryAcquire(names);
    expect(another).toBeDefined();
    await another?.release();
  }

  it.each(['request', 'answer'] as const)(
    '(%s held beyond its deadline) is released',
    async (side) => {
      const hold = proxy.hold(name, side);
      expect(await codeOf(leasesOf(throughProxy, 6_000).tryAcquire(names))).toBe(
        'REDIS_UNREACHABLE',
      );
      hold.release();
      // Before it expires; a lease that is still owned would be refreshed before that.
      await isGivenBack(2_500);
    },
  );

  it('is released when its caller was aborted meanwhile', async () => {
    const hold = proxy.hold(name, 'answer');
    const stop = new AbortController();
    const trying = leasesOf(throughProxy, 60_000).tryAcquire(names, stop.signal);
    await hold.reached;
    expect(await leased()).toEqual(names);
    stop.abort(new Error('stop'));
    await expect(trying).rejects.toThrow('stop');
    hold.release();
    await isGivenBack(20_000);
  });
});

describe('checkRedis', () => {
  it('accepts a Redis that keeps what is written to it', async () => {
    await checkRedis(redis, silentLog);
  });

  it('gives up on one that does not answer', async () => {
    proxy.hang();
    expect(await codeOf(checkRedis(throughProxy, silentLog))).toBe('REDIS_UNREACHABLE');
    await proxy.cut();
    expect(await codeOf(checkRedis(throughProxy, silentLog))).toBe('REDIS_UNREACHABLE');
  });

  it('refuses an invalid URL without repeating its password', () => {
    expect(() => createRedis('http://:secret@localhost', { log: silentLog })).toThrow(
      /^(?!.*secret).*redis:\/\//,
    );
  });
});
