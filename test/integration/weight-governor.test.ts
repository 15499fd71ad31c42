import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { createWeightGovernor } from '../../src/adapters/weight/weight-governor.ts';
import type { WeightGovernorDeps } from '../../src/adapters/weight/weight-governor.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type {
  ExchangeState,
  ExchangeStateStore,
  WeightGovernor,
} from '../../src/ports/weight-governor.ts';
import { silentLog } from '../unit/binance/fakes.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const MARKET = 'binance_spot';
const WINDOW_MS = 1_000;
const LIMIT = 40;
const NEVER = new AbortController().signal;
const { redisUrl } = inject('services');

/** Its own Redis database, so that wiping it disturbs no other test. */
const ownDatabase = new URL(redisUrl);
ownDatabase.pathname = '/9';

let redis: Redis;
let runCount = 0;
let keyPrefix = '';

beforeAll(() => {
  redis = createRedis(ownDatabase.href, { log: silentLog });
});

beforeEach(() => {
  runCount += 1;
  keyPrefix = `governor-test-${process.pid}-${Date.now()}-${runCount}`;
});

afterAll(async () => {
  await redis.flushdb();
  await redis.quit();
});

class MemoryStates implements ExchangeStateStore {
  readonly saved = new Map<string, ExchangeState>();
  loads = 0;

  async load(market: string, egress: string): Promise<ExchangeState | undefined> {
    this.loads += 1;
    return this.saved.get(`${market}/${egress}`);
  }

  async save(market: string, egress: string, state: ExchangeState): Promise<void> {
    this.saved.set(`${market}/${egress}`, state);
  }
}

function governorWith(deps: Partial<WeightGovernorDeps> = {}): WeightGovernor {
  return createWeightGovernor({
    redis,
    keyPrefix,
    egress: 'home',
    baseUrls: { [MARKET]: 'https://exchange.test' },
    share: 1,
    limits: async () => ({ weightLimit: LIMIT, windowMs: WINDOW_MS }),
    states: new MemoryStates(),
    clock: systemClock,
    log: silentLog,
    ...deps,
  });
}

/** Acquires until the deadline. @returns the exchange's window of every grant */
async function grantsOf(
  governors: readonly WeightGovernor[],
  weight: number,
  forMs: number,
): Promise<number[]> {
  const windows: number[] = [];
  const stop = AbortSignal.timeout(forMs);
  await Promise.all(
    governors.map(async (governor) => {
      for (;;) {
        const granted = await governor.acquire(MARKET, weight, stop).then(
          () => true,
          () => false,
        );
        if (!granted) return;
        windows.push(Math.floor(Date.now() / WINDOW_MS));
      }
    }),
  );
  return windows;
}

function countBy(windows: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const window of windows) counts.set(window, (counts.get(window) ?? 0) + 1);
  return [...counts.entries()].sort(([one], [other]) => one - other).map(([, count]) => count);
}

/** Waits until just after the start of a window, when nearly all of it is left. */
async function nextWindow(): Promise<void> {
  await systemClock.sleep(WINDOW_MS - (Date.now() % WINDOW_MS) + 20, NEVER);
}

async function errorOf(promise: Promise<unknown>): Promise<CdvaultError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CdvaultError) return error;
  throw new Error(`expected a CdvaultError, got ${String(error)}`);
}

describe('one budget', () => {
  it('is shared by all governors of an address, used in full, and never exceeded in the exchange’s windows', async () => {
    await nextWindow();
    const windows = await grantsOf(
      [governorWith(), governorWith(), governorWith(), governorWith()],
      4,
      3_900,
    );
    const counts = countBy(windows);
    expect(counts.slice(0, 3)).toEqual([10, 10, 10]);
    expect(Math.max(...counts)).toBe(10);
  });

  it('is the configured share of the exchange’s limit', async () => {
    await nextWindow();
    expect(countBy(await grantsOf([governorWith({ share: 0.6 })], 4, 1_900))).toEqual([6, 6]);
  });

  it('is separate for each address', async () => {
    await nextWindow();
    const windows = await grantsOf([governorWith(), governorWith({ egress: 'office' })], 4, 900);
    expect(countBy(windows)).toEqual([20]);
  });

  it('grants a light request while a heavy one waits for the next window', async () => {
    const governor = governorWith();
    await nextWindow();
    await governor.acquire(MARKET, 30, NEVER);
    const heavy = governor.acquire(MARKET, 20, NEVER);
    await governor.acquire(MARKET, 10, NEVER);
    const state = await governor.state(MARKET);
    expect(state).toEqual({
      usedWeight: 40,
      weightLimit: LIMIT,
      windowMs: WINDOW_MS,
      pause: undefined,
    });
    await heavy;
  });

  it('fails with advice when a request can never fit', async () => {
    const error = await errorOf(governorWith({ share: 0.01 }).acquire(MARKET, 4, NEVER));
    expect([error.code, error.advice]).toEqual(['USAGE', 'Raise --weight-share.']);
  });

  it('grants nothing near the end of a window, where requests count in the next one', async () => {
    const governor = governorWith();
    await governor.acquire(MARKET, 1, NEVER);
    for (let round = 0; round < 3; round += 1) {
      await systemClock.sleep(2 * WINDOW_MS - (Date.now() % WINDOW_MS) - 25, NEVER);
      await governor.acquire(MARKET, 4, NEVER);
      expect(Date.now() % WINDOW_MS).toBeLessThan(WINDOW_MS - 50);
    }
  });
});

describe('the exchange’s own count', () => {
  it('makes room for other programs on the address', async () => {
    const governor = governorWith();
    await governor.acquire(MARKET, 4, NEVER);
    await nextWindow();
    await governor.observe(MARKET, 32, Date.now());
    expect(countBy(await grantsOf([governor, governorWith()], 4, 900))).toEqual([2]);
  });

  it('counts once, however many governors report it, and never lowers our own', async () => {
    const governors = Array.from({ length: 8 }, () => governorWith());
    for (const governor of governors) await governor.acquire(MARKET, 1, NEVER);
    await nextWindow();
    await Promise.all(governors.map((governor) => governor.observe(MARKET, 30, Date.now())));
    await governors[0]?.observe(MARKET, 3, Date.now());
    expect((await governors[1]?.state(MARKET))?.usedWeight).toBe(30);
  });

  it('is ignored for a request that was sent in an earlier window', async () => {
    const governor = governorWith();
    await governor.acquire(MARKET, 4, NEVER);
    await nextWindow();
    await governor.observe(MARKET, 36, Date.now() - WINDOW_MS);
    expect((await governor.state(MARKET)).usedWeight).toBe(0);
  });

  it('is applied again after Redis was wiped', async () => {
    const governor = governorWith();
    await nextWindow();
    await governor.acquire(MARKET, 20, NEVER);
    await governor.observe(MARKET, 30, Date.now());
    await redis.flushdb();
    await governor.acquire(MARKET, 4, NEVER);
    await governor.observe(MARKET, 30, Date.now());
    expect((await governor.state(MARKET)).usedWeight).toBe(30);
  });
});

describe('the exchange’s clock', () => {
  it('defines the windows, however wrong our own clock is', async () => {
    const offsetMs = 400;
    const exchangeClock = async (): Promise<{ offsetMs: number; uncertaintyMs: number }> => ({
      offsetMs,
      uncertaintyMs: 1,
    });
    const governor = governorWith({ exchangeClock });
    await governor.acquire(MARKET, 1, NEVER);
    const windows: number[] = [];
    const stop = AbortSignal.timeout(3_400);
    for (;;) {
      const granted = await governor.acquire(MARKET, 4, stop).then(
        () => true,
        () => false,
      );
      if (!granted) break;
      windows.push(Math.floor((Date.now() + offsetMs) / WINDOW_MS));
    }
    expect(countBy(windows).slice(1, 3)).toEqual([10, 10]);
    expect(Math.max(...countBy(windows))).toBeLessThanOrEqual(10);
  });

  it('also books requests sent before it was known in the window that the exchange counts', async () => {
    const governor = governorWith({
      limits: async () => ({ weightLimit: LIMIT, windowMs: WINDOW_MS, weight: 20 }),
      exchangeClock: async () => ({ offsetMs: WINDOW_MS, uncertaintyMs: 1 }),
    });
    await nextWindow();
    await governor.acquire(MARKET, 4, NEVER);
    expect((await governor.state(MARKET)).usedWeight).toBe(20 + 3 + 4);
  });

  it('is read once for all waiting requests, and its weight is booked', async () => {
    let readings = 0;
    const exchangeClock = async (): Promise<{ offsetMs: number; uncertaintyMs: number }> => {
      readings += 1;
      return { offsetMs: 0, uncertaintyMs: 1 };
    };
    const governor = governorWith({ exchangeClock });
    await nextWindow();
    await Promise.all(Array.from({ length: 5 }, () => governor.acquire(MARKET, 4, NEVER)));
    expect(readings).toBe(3);
    expect((await governor.state(MARKET)).usedWeight).toBe(23);
  });
});

describe('the exchange’s limits', () => {
  it('are asked for once, their weight is booked, and the store remembers them for a day', async () => {
    const states = new MemoryStates();
    let asked = 0;
    const limits = async (): Promise<{ weightLimit: number; windowMs: number; weight: number }> => {
      asked += 1;
      return { weightLimit: LIMIT, windowMs: WINDOW_MS, weight: 20 };
    };
    await nextWindow();
    const governor = governorWith({ states, limits });
    await Promise.all([governor.acquire(MARKET, 1, NEVER), governor.acquire(MARKET, 1, NEVER)]);
    expect((await governor.state(MARKET)).usedWeight).toBe(22);
    await governorWith({ states, limits }).acquire(MARKET, 1, NEVER);
    expect(asked).toBe(1);
    const dayAgoMs = Date.now() - 86_400_001;
    states.saved.set(`${MARKET}/home`, {
      weightLimit: 1,
      windowMs: WINDOW_MS,
      limitsAtMs: dayAgoMs,
      bannedUntilMs: 0,
    });
    await governorWith({ states, limits }).acquire(MARKET, 4, NEVER);
    expect(asked).toBe(2);
  });

  it('whose weight exceeds the rest of the window use it up', async () => {
    const heavy = async (): Promise<{ weightLimit: number; windowMs: number; weight: number }> => ({
      weightLimit: LIMIT,
      windowMs: WINDOW_MS,
      weight: LIMIT + 20,
    });
    await nextWindow();
    const window = Math.floor(Date.now() / WINDOW_MS);
    await governorWith({ limits: heavy }).acquire(MARKET, 4, NEVER);
    expect(Math.floor(Date.now() / WINDOW_MS)).toBe(window + 1);
  });

  it('that can’t be fetched fail the request that needs them, and are asked for again', async () => {
    let asked = 0;
    const limits = async (): Promise<{ weightLimit: number; windowMs: number }> => {
      asked += 1;
      if (asked === 1) throw new CdvaultError('EXCHANGE_UNREACHABLE', 'no way');
      return { weightLimit: LIMIT, windowMs: WINDOW_MS };
    };
    const governor = governorWith({ limits });
    expect((await errorOf(governor.acquire(MARKET, 1, NEVER))).code).toBe('EXCHANGE_UNREACHABLE');
    await governor.acquire(MARKET, 1, NEVER);
  });

  it('are asked for again by a waiting request when the asking one is aborted', async () => {
    let asked = 0;
    const limits = (
      _: string,
      signal: AbortSignal,
    ): Promise<{ weightLimit: number; windowMs: number }> => {
      asked += 1;
      if (asked > 1) return Promise.resolve({ weightLimit: LIMIT, windowMs: WINDOW_MS });
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    };
    const governor = governorWith({ limits });
    const stop = new AbortController();
    const first = governor.acquire(MARKET, 1, stop.signal);
    await expect.poll(() => asked).toBe(1);
    const second = governor.acquire(MARKET, 1, NEVER);
    stop.abort(new Error('drained'));
    await expect(first).rejects.toThrow('drained');
    await second;
    expect(asked).toBe(2);
  });
});

describe('a pause', () => {
  it.each(['rate_limited', 'banned'] as const)(
    '(%s) holds back all governors until it ends',
    async (reason) => {
      const [one, other] = [governorWith(), governorWith()];
      await other.acquire(MARKET, 1, NEVER);
      const untilMs = Date.now() + 700;
      await one.pause(MARKET, reason, untilMs);
      expect((await other.state(MARKET)).pause?.reason).toBe(reason);
      await Promise.all([one.acquire(MARKET, 1, NEVER), other.acquire(MARKET, 1, NEVER)]);
      expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
    },
  );

  it.each([
    ['blocked', 'EXCHANGE_BLOCKED'],
    ['restricted', 'EXCHANGE_RESTRICTED'],
  ] as const)('(%s) fails at once', async (reason, code) => {
    const governor = governorWith();
    await governor.pause(MARKET, reason, Date.now() + 60_000);
    expect((await errorOf(governorWith().acquire(MARKET, 1, NEVER))).code).toBe(code);
    await governor.acquire('binance_um', 1, NEVER);
  });

  it('for a restricted location applies to the host that refused, and to no other', async () => {
    await governorWith().pause(MARKET, 'restricted', Date.now() + 60_000);
    const elsewhere = governorWith({ baseUrls: { [MARKET]: 'https://other.test' } });
    await elsewhere.acquire(MARKET, 1, NEVER);
    // A ban applies to the address, whatever host it asks.
    await governorWith().pause(MARKET, 'banned', Date.now() + 60_000);
    expect((await elsewhere.state(MARKET)).pause?.reason).toBe('banned');
  });

  it('is only ever lengthened', async () => {
    const governor = governorWith();
    const untilMs = Date.now() + 60_000;
    await governor.pause(MARKET, 'rate_limited', untilMs);
    await governor.pause(MARKET, 'rate_limited', Date.now() + 1_000);
    const state = await governor.state(MARKET);
    expect(Math.abs((state.pause?.untilMs ?? 0) - untilMs)).toBeLessThan(100);
  });

  it('ends at once on an abort, and leaves no timer', async () => {
    const governor = governorWith();
    await governor.pause(MARKET, 'banned', Date.now() + 60_000);
    const timersBefore = timerCount();
    const stop = new AbortController();
    const waiting = governor.acquire(MARKET, 1, stop.signal);
    await expect.poll(timerCount, { interval: 20 }).toBeGreaterThan(timersBefore);
    stop.abort(new Error('drained'));
    await expect(waiting).rejects.toThrow('drained');
    await expect.poll(timerCount, { interval: 20 }).toBe(timersBefore);
  });
});

function timerCount(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

describe('a ban', () => {
  it('is remembered by the store when Redis is wiped, by new and by running governors', async () => {
    const states = new MemoryStates();
    const running = governorWith({ states });
    await running.acquire(MARKET, 1, NEVER);
    const untilMs = Date.now() + 1_500;
    await governorWith({ states }).pause(MARKET, 'banned', untilMs);
    await redis.flushdb();
    await Promise.all([
      running.acquire(MARKET, 1, NEVER),
      governorWith({ states }).acquire(MARKET, 1, NEVER),
    ]);
    expect(Date.now()).toBeGreaterThanOrEqual(untilMs);
  });

  it('keeps the limits in the store, and the later of two ends', async () => {
    const states = new MemoryStates();
    const governor = governorWith({ states });
    await governor.acquire(MARKET, 1, NEVER);
    const untilMs = Date.now() + 60_000;
    await governor.pause(MARKET, 'banned', untilMs);
    await governorWith({ states }).pause(MARKET, 'banned', untilMs - 30_000);
    expect(states.saved.get(`${MARKET}/home`)).toMatchObject({
      weightLimit: LIMIT,
      windowMs: WINDOW_MS,
      bannedUntilMs: untilMs,
    });
  });

  it('that has ended stops no request', async () => {
    const states = new MemoryStates();
    states.saved.set(`${MARKET}/home`, {
      weightLimit: LIMIT,
      windowMs: WINDOW_MS,
      limitsAtMs: Date.now(),
      bannedUntilMs: Date.now() - 1,
    });
    await governorWith({ states }).acquire(MARKET, 1, NEVER);
  });

  it('is looked up in the store a few times, not for every request', async () => {
    const states = new MemoryStates();
    const governor = governorWith({ states });
    for (let request = 0; request < 10; request += 1) await governor.acquire(MARKET, 1, NEVER);
    expect(states.loads).toBeLessThanOrEqual(3);
  });
});

describe('without Redis', () => {
  it.each(['cut', 'hang'] as const)(
    '(%s) nothing is granted: the wait ends with a typed error',
    async (how) => {
      const url = new URL(ownDatabase);
      const proxy = await startTcpProxy(Number(url.port), url.hostname);
      url.host = `127.0.0.1:${proxy.port}`;
      const client = createRedis(url.href, { log: silentLog });
      const governor = governorWith({ redis: client });
      await governor.acquire(MARKET, 1, NEVER);
      await proxy[how]();
      expect((await errorOf(governor.acquire(MARKET, 1, NEVER))).code).toBe('REDIS_UNREACHABLE');
      client.disconnect();
      await proxy.close();
    },
  );

  it('a wait ends at once on an abort', async () => {
    const proxy = await startTcpProxy(Number(ownDatabase.port), ownDatabase.hostname);
    const silent = new URL(ownDatabase);
    silent.host = `127.0.0.1:${proxy.port}`;
    const client = createRedis(silent.href, { log: silentLog });
    const governor = governorWith({ redis: client });
    await governor.acquire(MARKET, 1, NEVER);
    proxy.hang();
    const startMs = performance.now();
    await expect(governor.acquire(MARKET, 1, AbortSignal.timeout(200))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    expect(performance.now() - startMs).toBeLessThan(2_000);
    client.disconnect();
    await proxy.close();
  });
});
