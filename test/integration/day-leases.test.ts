import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { loadDay } from '../support/one-day.ts';
import { hourLease } from '../../src/app/leases.ts';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import type { Leases } from '../../src/ports/lease.ts';
import { Rig } from '../e2e/rig.ts';
import { unique } from '../support/command-line.ts';
import { silentLog, uniqueSeries } from '../support/store.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const DAY = Date.UTC(2024, 3, 2);
const HOURS = [0, 1, 2].map((hour) => DAY + hour * HOUR_MS);

let rig: Rig;
let app: App;
let keyPrefix: string;
let proxies: TcpProxy[];
let clients: Redis[];

beforeAll(async () => {
  rig = await Rig.start({});
  app = await rig.app();
});

beforeEach(async () => {
  keyPrefix = unique('day-leases-');
  const { hostname, port } = new URL(rig.services.redisUrl);
  proxies = await Promise.all([1, 2].map(async () => startTcpProxy(Number(port), hostname)));
  clients = proxies.map((proxy) => {
    const url = new URL(rig.services.redisUrl);
    url.host = `127.0.0.1:${proxy.port}`;
    return createRedis(url.href, { log: silentLog });
  });
});

afterEach(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all(proxies.map(async (proxy) => proxy.close()));
});

afterAll(async () => rig.dispose());

const keys = async () => rig.redis().keys(`*${keyPrefix}*`);

function leasesOn(index: number, ttlMs: number): Leases {
  const redis = clients[index];
  if (redis === undefined) throw new Error('no such client');
  return createLeases({ redis, keyPrefix, log: silentLog, ttlMs });
}

test('a day that is aborted while it waits for its leases releases them', async () => {
  const series = uniqueSeries('STOP');
  const hold = proxies[0]?.hold(hourLease({ ...series, hourMs: DAY }), 'answer');
  const stop = new AbortController();
  const day = loadDay(
    { ...app, leases: leasesOn(0, 60_000) },
    { ...series, dayMs: DAY, hours: HOURS, runId: 'run' },
    stop.signal,
  );
  const ended = expect(day).rejects.toThrow('stop');
  await hold?.reached;
  stop.abort(new Error('stop'));
  await ended;
  hold?.release();
  await expect.poll(keys).toEqual([]);
});
