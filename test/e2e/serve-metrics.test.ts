import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { proxied, type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import {
  metricsOf,
  type MetricsPage,
  type Served,
  startServe,
  valueOf,
} from '../support/served.ts';
import { truth } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 7, 4);
const RANGE = { startMs: DAY, endMs: DAY + 6 * HOUR_MS };
const trades = syntheticTrades({
  seed: 62,
  fromMs: DAY - 2 * HOUR_MS,
  toMs: RANGE.endMs + 2 * HOUR_MS,
  tradesPerHour: 300,
});
const WHOLE = unique('SRVM');

let services: ProxiedServices;
let rig: Rig;
let app: App;
let served: Served;

beforeAll(async () => {
  services = await proxyServices(inject('services'));
  rig = await Rig.start({ symbols: [{ symbol: WHOLE, trades }] });
  app = await rig.app();
  served = await startServe(rig, [], proxied(services));
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
});

describe('metrics', () => {
  let page: MetricsPage;

  beforeAll(async () => {
    // All hours are proven except the third, which is not fetched.
    for (const [from, to] of [
      [0, 2],
      [3, 6],
    ] as const) {
      const range = { startMs: DAY + from * HOUR_MS, endMs: DAY + to * HOUR_MS };
      await rig.backfill(app, [spot(WHOLE)], range);
    }
    await eventually('the backfill is in the metrics', async () => {
      page = await metricsOf(served);
      return valueOf(page, 'cdvault_coverage_hours', { symbol: WHOLE, verdict: 'proven' }) === 5;
    });
  });

  test('each has a help text, and a name of cdvault or one of the usual process metrics', () => {
    expect(page.samples.length).toBeGreaterThan(50);
    for (const { name } of page.samples) {
      expect(name).toMatch(/^(cdvault|process|nodejs)_/);
      const family = page.helps.has(name) ? name : name.replace(/_(sum|count|bucket)$/, '');
      expect(page.helps.get(family), name).toMatch(/\w/);
      expect(page.types.get(family), name).toMatch(/^(gauge|counter|histogram|summary)$/);
    }
    for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_seconds'])
      expect(valueOf(page, name, {})).toBeGreaterThanOrEqual(0);
  });

  test('coverage and stored rows equal the exchange’s trades', () => {
    const series = { market: 'binance_spot', symbol: WHOLE };
    const hours = (verdict: string) =>
      valueOf(page, 'cdvault_coverage_hours', { ...series, verdict });
    expect(['proven', 'open', 'gap', 'unknown'].map(hours)).toEqual([5, 0, 0, 1]);
    const third = { startMs: DAY + 2 * HOUR_MS, endMs: DAY + 3 * HOUR_MS };
    const rows = truth(trades, RANGE).length - truth(trades, third).length;
    expect(valueOf(page, 'cdvault_stored_rows', series)).toBe(rows);
  });

  test('all collectors succeed, and the services are up', () => {
    const collectors = page.samples.filter(
      ({ name }) => name === 'cdvault_scrape_collector_success',
    );
    expect(collectors.map(({ labels, value }) => [labels['collector'], value])).toEqual(
      ['queues', 'coverage', 'gaps', 'schedule', 'exchange', 'store'].map((name) => [name, 1]),
    );
    for (const service of ['redis', 'questdb'])
      expect(valueOf(page, 'cdvault_up', { service })).toBe(1);
    expect(valueOf(page, 'cdvault_store_schema_current', {})).toBe(1);
    expect(valueOf(page, 'cdvault_store_table_suspended', { table: 'slices' })).toBe(0);
    expect(valueOf(page, 'cdvault_store_wal_pending_transactions', { table: 'slices' })).toBe(0);
  });

  test('the weight limit is that of the exchange; markets without requests have no values', async () => {
    const spotMarket = { market: 'binance_spot' };
    const facts = await fetch(`${rig.exchange.url}/api/v3/exchangeInfo`);
    const { rateLimits } = (await facts.json()) as {
      rateLimits: { rateLimitType: string; interval: string; limit: number }[];
    };
    const limit = rateLimits.find(({ rateLimitType }) => rateLimitType === 'REQUEST_WEIGHT')?.limit;
    expect(limit).toBeGreaterThan(0);
    expect(valueOf(page, 'cdvault_exchange_weight_limit', spotMarket)).toBe(limit);
    expect(valueOf(page, 'cdvault_exchange_window_seconds', spotMarket)).toBe(60);
    expect(valueOf(page, 'cdvault_exchange_weight_used', spotMarket)).toBeGreaterThanOrEqual(0);
    for (const name of ['weight_limit', 'weight_used', 'window_seconds'])
      expect(valueOf(page, `cdvault_exchange_${name}`, { market: 'binance_um' })).toBeUndefined();
    for (const reason of ['rate_limited', 'banned', 'blocked', 'restricted'])
      expect(valueOf(page, 'cdvault_exchange_paused', { ...spotMarket, reason })).toBe(0);
    expect(
      valueOf(page, 'cdvault_exchange_pause_end_timestamp_seconds', spotMarket),
    ).toBeUndefined();
  });

  test('jobs are counted by kind and state', async () => {
    const series = spot(WHOLE);
    const hours = [DAY + 2 * HOUR_MS];
    await app.queue.addDays(unique('run-'), series, [{ dayMs: DAY, hours }], 'backfill');
    onTestFinished(async () => rig.wipeRedis());
    const jobs = (kind: string, state: string) =>
      valueOf(page, 'cdvault_queue_jobs', { kind, state });
    await eventually('the day is in the metrics', async () => {
      page = await metricsOf(served);
      return jobs('bars', 'waiting') === 1;
    });
    expect(jobs('slice', 'waiting')).toBe(1);
    for (const kind of ['feed', 'archive', 'slice', 'bars', 'chain', 'tick'])
      expect(['active', 'delayed', 'failed'].map((state) => jobs(kind, state))).toEqual([0, 0, 0]);
  });

  test('a ban is reported with its end', async () => {
    const untilMs = Date.now() + 600_000;
    await app.governor.pause('binance_cm', 'banned', untilMs);
    onTestFinished(async () => rig.liftPauses());
    const banned = { market: 'binance_cm', reason: 'banned' };
    await eventually('the ban is in the metrics', async () => {
      page = await metricsOf(served);
      return valueOf(page, 'cdvault_exchange_paused', banned) === 1;
    });
    const end = valueOf(page, 'cdvault_exchange_pause_end_timestamp_seconds', banned);
    // It is stored as the remaining time, in whole milliseconds.
    expect(Math.abs((end ?? 0) * 1000 - untilMs)).toBeLessThan(1_000);
  });

  test('the lag of a scheduled series is the time since its newest proven hour', async () => {
    expect(await rig.cli(['schedule', WHOLE, '--from', '2024-08-04T00:00Z'])).toMatchObject({
      exitCode: 0,
    });
    onTestFinished(async () => void (await rig.cli(['unschedule', WHOLE])));
    const beforeMs = Date.now();
    let lag: number | undefined;
    await eventually('the lag is in the metrics', async () => {
      lag = valueOf(await metricsOf(served), 'cdvault_series_lag_seconds', { symbol: WHOLE });
      return lag !== undefined;
    });
    const [leastMs, mostMs] = [beforeMs - 10_000 - RANGE.endMs, Date.now() - RANGE.endMs];
    expect(lag).toBeGreaterThanOrEqual(leastMs / 1000);
    expect(lag).toBeLessThanOrEqual(mostMs / 1000);
  });
});

describe('an unreachable service', () => {
  // Scheduled, so that there is a lag to lose. Unscheduled at the end, since the store is shared and other
  // tests' workers must not fetch this series.
  beforeAll(async () => void (await rig.cli(['schedule', WHOLE, '--from', '2024-08-04T00:00Z'])));
  afterAll(async () => void (await rig.cli(['unschedule', WHOLE])));

  const OF_REDIS = ['cdvault_queue_jobs'];
  const OF_STORE = [
    'cdvault_stored_rows',
    'cdvault_coverage_hours',
    'cdvault_series_lag_seconds',
    'cdvault_store_table_suspended',
    'cdvault_store_wal_pending_transactions',
    'cdvault_store_schema_current',
  ];
  const OF_BOTH = [
    'cdvault_exchange_weight_limit',
    'cdvault_exchange_weight_used',
    'cdvault_exchange_paused',
  ];

  test.each([
    {
      service: 'redis',
      fail: async () => services.redis.cut(),
      reason: 'REDIS_UNREACHABLE: Redis does not respond.',
      gone: [...OF_REDIS, ...OF_BOTH],
      there: ['cdvault_stored_rows', 'cdvault_store_schema_current'],
    },
    {
      service: 'questdb',
      fail: async () => services.questdbPg.cut(),
      reason: expect.stringMatching(/^STORE_UNREACHABLE: /) as string,
      gone: [...OF_STORE, ...OF_BOTH],
      there: OF_REDIS,
    },
    {
      service: 'questdb',
      fail: async () => services.questdbPg.hang(),
      reason: expect.stringMatching(/^STORE_UNREACHABLE: /) as string,
      gone: [...OF_STORE, ...OF_BOTH],
      there: OF_REDIS,
    },
  ])(
    '$service is reported as not ready, and its metrics are absent, never 0, until it is back',
    async (away) => {
      const { service, fail, reason, gone, there } = away;
      const other = service === 'redis' ? 'questdb' : 'redis';
      onTestFinished(async () => {
        await Promise.all([services.redis.heal(), services.questdbPg.heal()]);
      });
      await fail();
      await eventually('it is not ready', async () => {
        const ready = await fetch(`${served.url}/readyz`);
        if (ready.status !== 503) return false;
        expect(await ready.json()).toEqual({ ready: false, reasons: [{ check: service, reason }] });
        return true;
      });
      expect((await fetch(`${served.url}/healthz`)).status).toBe(200);
      let page = await metricsOf(served);
      await eventually('the metrics show it', async () => {
        page = await metricsOf(served);
        return valueOf(page, 'cdvault_up', { service }) === 0 && !has(page, gone[0] ?? '');
      });
      expect(valueOf(page, 'cdvault_up', { service: other })).toBe(1);
      expect(gone.filter((name) => has(page, name))).toEqual([]);
      expect(there.filter((name) => !has(page, name))).toEqual([]);
      expect(valueOf(page, 'cdvault_scrape_collector_success', { collector: 'exchange' })).toBe(0);
      if (service === 'redis') expect((await served.ask('/board/api/queues')).status).toBe(500);

      await Promise.all([services.redis.heal(), services.questdbPg.heal()]);
      await eventually('it is ready again', async () => {
        return (await fetch(`${served.url}/readyz`)).status === 200;
      });
      await eventually('all is in the metrics again', async () => {
        page = await metricsOf(served);
        return [...gone, ...there]
          .filter((name) => name !== 'cdvault_series_lag_seconds')
          .every((name) => has(page, name));
      });
    },
  );

  function has({ samples }: MetricsPage, name: string): boolean {
    return samples.some((sample) => sample.name === name);
  }
});
