import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createWebhook } from '../../src/adapters/alerts/webhook.ts';
import { createAlertStates } from '../../src/adapters/redis/alert-states.ts';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { createLeases } from '../../src/adapters/redis/lease.ts';
import { NO_PROXIES } from '../../src/adapters/system/proxies.ts';
import { lookForAlerts } from '../../src/app/alerts/keep-alerting.ts';
import type { AlertMessage } from '../../src/ports/alerts.ts';
import type { WatchedFacts } from '../../src/ports/watch.ts';
import { unique } from '../support/command-line.ts';
import { silentLog } from '../support/store.ts';

const MINUTE = 60_000;
const got: AlertMessage[] = [];
let status = 200;
let receiver: Server;
let url: string;
let redis: ReturnType<typeof createRedis>;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (status < 300) got.push(JSON.parse(body) as AlertMessage);
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?key=secret`;
  redis = createRedis(inject('services').redisUrl, { log: silentLog });
});

afterAll(async () => {
  redis.disconnect();
  receiver.closeAllConnections();
  receiver.close();
  await once(receiver, 'close');
});

/** A store in which these series are this late. */
function facts(late: readonly string[]): WatchedFacts {
  const lags = late.map(
    (symbol) => ({ market: 'binance_spot', symbol, lagMs: 4 * 60 * MINUTE }) as const,
  );
  return {
    redis: { known: true, value: true },
    store: { known: true, value: { isSchemaCurrent: true, tables: [] } },
    queues: { known: true, value: [] },
    coverage: { known: true, value: [] },
    openGaps: { known: true, value: [] },
    exchange: { known: true, value: [] },
    lags: { known: true, value: lags },
  };
}

test('a change of state is posted once, and again until it is taken', async () => {
  const keyPrefix = unique('alerts');
  const hook = createWebhook(url, NO_PROXIES);
  let late: string[] = ['ETHUSDT'];
  let nowMs = Date.UTC(2026, 0, 1);
  const warnings: unknown[] = [];
  const deps = {
    watch: { facts: async () => facts(late) },
    states: createAlertStates({ redis, keyPrefix }),
    leases: createLeases({ redis, keyPrefix, log: silentLog }),
    send: hook.send,
    clock: { nowMs: () => nowMs, sleep: async () => sleep(0) },
    log: { ...silentLog, warn: (fields: unknown) => warnings.push(fields) },
    version: '1.2.3',
  };
  const look = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      // As from two workers.
      await lookForAlerts(deps, AbortSignal.timeout(10_000));
      await lookForAlerts(deps, AbortSignal.timeout(10_000));
      nowMs += MINUTE;
    }
  };
  await look(10);
  expect(got).toEqual([]);
  await look(5);
  expect(got).toEqual([
    {
      type: 'cdvault.alert',
      rule: 'behind',
      state: 'firing',
      at: '2026-01-01T00:10:00.000Z',
      text: '1 scheduled series are more than 3 hours behind',
      names: [{ name: 'spot:ETHUSDT', since: '2026-01-01T00:00:00.000Z' }],
      count: 1,
      version: '1.2.3',
    },
  ]);
  status = 500;
  late = [];
  await look(2);
  expect(got).toHaveLength(1);
  const [{ error }] = warnings as [{ error: Error }];
  expect(error).toMatchObject({ code: 'ALERT_REFUSED' });
  // The address may have a secret.
  expect(error.message).toContain('127.0.0.1');
  expect(error.message).not.toContain('secret');
  status = 204;
  await look(3);
  expect(got.slice(1)).toMatchObject([
    { rule: 'behind', state: 'resolved', count: 1, text: expect.stringContaining('no longer') },
  ]);
  await hook.close();
});
