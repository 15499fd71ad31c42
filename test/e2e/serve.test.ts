import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import {
  authorization,
  metricsOf,
  type MetricsPage,
  type Served,
  startServe,
  valueOf,
} from '../support/served.ts';
import { truth } from './reference.ts';
import { eventually, Rig, spot } from './rig.ts';

const DAY = Date.UTC(2024, 7, 3);
const HOURS = 6;
const RANGE = { startMs: DAY, endMs: DAY + HOURS * HOUR_MS };
const ARGS = ['--from', '2024-08-03T00:00Z', '--to', '2024-08-03T06:00Z', '--source', 'rest'];
const trades = syntheticTrades({
  seed: 61,
  fromMs: DAY - 2 * HOUR_MS,
  toMs: RANGE.endMs + 2 * HOUR_MS,
  tradesPerHour: 300,
});
const WHOLE = unique('SRVA');
const POISON = unique('SRVB');

let services: ProxiedServices;
let rig: Rig;
let app: App;
let served: Served;

beforeAll(async () => {
  services = await proxyServices(inject('services'));
  rig = await Rig.start({ symbols: [WHOLE, POISON].map((symbol) => ({ symbol, trades })) });
  app = await rig.app();
  served = await startServe(rig, [], proxied());
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
});

/** The test's own connections outlast what is done to those of the command. */
function proxied(): Record<string, string> {
  return {
    REDIS_URL: services.urls.redisUrl,
    QUESTDB_HTTP_URL: services.urls.questdbHttpUrl,
    QUESTDB_PG_URL: services.urls.questdbPgUrl,
    QUESTDB_READONLY_PG_URL: services.urls.questdbReadonlyPgUrl,
  };
}

const KNOWING = () => ({ Authorization: authorization('cdvault', served.password) });

describe('who may see what', () => {
  const GUARDED = ['/', '/board', '/board/api/queues', '/board/static/js', '/metrics', '/nowhere'];

  test.each(['/healthz', '/readyz'])('%s is for everybody', async (path) => {
    const response = await fetch(served.url + path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(path === '/healthz' ? { alive: true } : { ready: true });
  });

  test.each(GUARDED)('%s is not', async (path) => {
    const wrong = [
      {},
      { Authorization: authorization('cdvault', `${served.password}x`) },
      { Authorization: authorization('cdvault', served.password.slice(0, -1)) },
      { Authorization: authorization('cdvault', '') },
      { Authorization: authorization('somebody', served.password) },
      { Authorization: `Bearer ${served.password}` },
    ];
    for (const headers of wrong) {
      const response = await fetch(served.url + path, { headers, redirect: 'manual' });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Basic realm="cdvault"');
      expect(await response.text()).toBe('Unauthorized');
    }
    const change = await fetch(`${served.url}/board/api/queues/pause`, { method: 'PUT' });
    expect(change.status).toBe(401);
  });

  test.each([
    ['/', 302],
    ['/board', 200],
    ['/board/', 200],
    ['/board/api/queues', 200],
    ['/metrics', 200],
    ['/nowhere', 404],
  ])('with the password %s answers %d', async (path, status) => {
    expect(await served.ask(path)).toMatchObject({ status });
  });

  test('the board’s page brings its program, and may ask nobody else', async () => {
    const response = await served.ask('/board');
    const page = await response.text();
    expect(page).toContain('<title>cdvault</title>');
    const scripts = [...page.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, src = '']) => src);
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) {
      const { pathname } = new URL(script, `${served.url}/board/`);
      expect((await fetch(served.url + pathname)).status).toBe(401);
      const asked = await served.ask(pathname);
      expect(asked.status).toBe(200);
      expect(asked.headers.get('content-type')).toContain('javascript');
    }
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self';");
    expect(policy).not.toContain('http');
  });

  test.each(['/healthz', '/board', '/metrics', '/nowhere'])(
    '%s carries the headers that browsers heed',
    async (path) => {
      for (const { headers } of [await served.ask(path), await fetch(served.url + path)]) {
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
        expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  test('a form of another site changes nothing, though the browser sends the password along', async () => {
    const foreign = { ...KNOWING(), Origin: 'http://elsewhere.example' };
    const body = JSON.stringify({ name: 'tick', data: {}, options: {} });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', undefined]) {
      const response = await fetch(`${served.url}/board/api/queues/tick/add`, {
        method: 'POST',
        headers: { ...foreign, ...(type !== undefined && { 'Content-Type': type }) },
        body,
      });
      expect(response.status).toBe(403);
    }
    // What a form can't send, a script could, if the server let it ask.
    const preflight = await fetch(`${served.url}/board/api/queues/tick/add`, {
      method: 'OPTIONS',
      headers: { ...foreign, 'Access-Control-Request-Method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    expect(await rig.raw('tick').getJobCounts()).toMatchObject({ waiting: 0, prioritized: 0 });
  });
});

interface FlowNode {
  readonly id: string;
  readonly state: string;
  readonly queueName: string;
  readonly children: readonly FlowNode[];
}

interface BoardJob {
  readonly id: string;
  readonly data: { readonly symbol: string };
  readonly failedReason?: string;
}

async function boardJobs(queue: string, status: string): Promise<BoardJob[]> {
  const query = new URLSearchParams({ activeQueue: queue, status, jobsPerPage: '50' });
  const response = await served.ask(`/board/api/queues?${query.toString()}`);
  const { queues } = (await response.json()) as { queues: { name: string; jobs: BoardJob[] }[] };
  return queues.find(({ name }) => name === queue)?.jobs ?? [];
}

async function flowOf(queue: string, id: string): Promise<FlowNode> {
  const response = await served.ask(`/board/api/queues/${queue}/${id}/flow`);
  return ((await response.json()) as { flowRoot: FlowNode }).flowRoot;
}

/** Spoils the page of one hour: it is asked for from the trade before the hour. */
function poison(symbol: string, hourMs: number): void {
  const rows = truth(trades, { startMs: hourMs, endMs: hourMs + HOUR_MS });
  const fromId = rows[0]?.aggId ?? 0;
  rig.exchange.setFaults([
    {
      name: 'poison',
      when: { symbol, fromIdRange: [fromId - 1, fromId + rows.length - 2] },
      kind: 'apiError',
      code: -1121,
    },
  ]);
}

test('a slice that failed for good stands in the board’s tree of its day; tried again there, it is done', async () => {
  poison(POISON, DAY + 3 * HOUR_MS);
  expect(await rig.cli(['backfill', POISON, ...ARGS])).toMatchObject({ exitCode: 4 });
  rig.exchange.setFaults([]);

  const [day] = (await boardJobs('bars', 'completed')).filter(({ data }) => data.symbol === POISON);
  const tree = await flowOf('bars', day?.id ?? '');
  expect(tree).toMatchObject({ state: 'completed', queueName: 'bars' });
  expect(tree.children.map(({ state, queueName }) => `${queueName} ${state}`).toSorted()).toEqual([
    ...Array.from({ length: HOURS - 1 }, () => 'slice-binance_spot completed'),
    'slice-binance_spot failed',
  ]);

  const failed = await boardJobs('slice-binance_spot', 'failed');
  expect(failed).toEqual([
    expect.objectContaining({ failedReason: expect.stringMatching(/^UNKNOWN_SYMBOL: /) }),
  ]);
  const id = failed[0]?.id ?? '';
  expect(await flowOf('slice-binance_spot', id)).toEqual(tree);
  expect(await app.ledger.totals(spot(POISON), RANGE)).toMatchObject({ proven: HOURS - 1 });

  const retry = await served.ask(`/board/api/queues/slice-binance_spot/${id}/retry`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
  });
  expect(retry.status).toBe(204);
  const workers = rig.work(app);
  await eventually(
    'all hours are proven',
    async () => (await app.ledger.totals(spot(POISON), RANGE)).proven === HOURS,
  );
  await rig.untilIdle(app);
  await workers.stop();
  expect(await boardJobs('slice-binance_spot', 'failed')).toEqual([]);
  expect((await app.bars.bars(spot(POISON), '1h', RANGE)).map(({ status }) => status)).toEqual(
    Array.from({ length: HOURS }, () => 'final'),
  );
});

describe('metrics', () => {
  let page: MetricsPage;

  beforeAll(async () => {
    // Proven but for the hour in the middle, which nobody fetches.
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

  test('each has a help text and a name of ours, or one that every program’s process has', () => {
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

  test('what is stored is what the exchange had', () => {
    const series = { market: 'binance_spot', symbol: WHOLE };
    const hours = (verdict: string) =>
      valueOf(page, 'cdvault_coverage_hours', { ...series, verdict });
    expect(['proven', 'open', 'gap', 'unknown'].map(hours)).toEqual([5, 0, 0, 1]);
    const third = { startMs: DAY + 2 * HOUR_MS, endMs: DAY + 3 * HOUR_MS };
    const rows = truth(trades, RANGE).length - truth(trades, third).length;
    expect(valueOf(page, 'cdvault_stored_rows', series)).toBe(rows);
  });

  test('all that is watched was told, and the services are up', () => {
    const told = page.samples.filter(({ name }) => name === 'cdvault_scrape_collector_success');
    expect(told.map(({ labels, value }) => [labels['collector'], value])).toEqual(
      ['queues', 'coverage', 'gaps', 'schedule', 'exchange', 'store'].map((name) => [name, 1]),
    );
    for (const service of ['redis', 'questdb'])
      expect(valueOf(page, 'cdvault_up', { service })).toBe(1);
    expect(valueOf(page, 'cdvault_store_schema_current', {})).toBe(1);
    expect(valueOf(page, 'cdvault_store_table_suspended', { table: 'agg_trades' })).toBe(0);
    expect(valueOf(page, 'cdvault_store_wal_pending_transactions', { table: 'slices' })).toBe(0);
  });

  test('the exchange’s limit is its own; of markets that nobody asked nothing is made up', async () => {
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

  test('jobs by kind and state', async () => {
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

  test('a ban, with its end', async () => {
    const untilMs = Date.now() + 600_000;
    await app.governor.pause('binance_cm', 'banned', untilMs);
    onTestFinished(async () => rig.liftPauses());
    const banned = { market: 'binance_cm', reason: 'banned' };
    await eventually('the ban is in the metrics', async () => {
      page = await metricsOf(served);
      return valueOf(page, 'cdvault_exchange_paused', banned) === 1;
    });
    const end = valueOf(page, 'cdvault_exchange_pause_end_timestamp_seconds', banned);
    // It is kept as the time that is left, in whole milliseconds.
    expect(Math.abs((end ?? 0) * 1000 - untilMs)).toBeLessThan(1_000);
  });

  test('a scheduled series is behind by the time since its newest proven hour', async () => {
    expect(await rig.cli(['schedule', WHOLE, '--from', '2024-08-03T00:00Z'])).toMatchObject({
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

describe('a service that is away', () => {
  beforeAll(async () => {
    await rig.cli(['schedule', WHOLE, '--from', '2024-08-03T00:00Z']);
  });

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
      reason: 'REDIS_UNREACHABLE: Redis does not answer.',
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
    '$service: not ready, its numbers are absent and never 0, and back they come',
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
      await eventually('the metrics say so', async () => {
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

describe('starting and ending', () => {
  test('a password for each run, shown once and on standard error only; SIGTERM and SIGINT end it', async () => {
    const passwords = new Set([served.password]);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const other = await startServe(rig);
      expect((await other.ask('/board')).status).toBe(200);
      // A browser keeps its connection; nothing waits for that.
      other.command.kill(signal);
      const { exitCode, stdout, stderr } = await other.command.done;
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
      expect(stderr.split(other.password)).toHaveLength(2);
      passwords.add(other.password);
    }
    expect(passwords.size).toBe(3);
  });

  test('ends while the store is silent and a scrape waits for it', async () => {
    const other = await startServe(rig, [], proxied());
    onTestFinished(async () => services.questdbPg.heal());
    services.questdbPg.hang();
    const scrape = other.ask('/metrics').then(
      () => 'answered',
      () => 'cut',
    );
    await eventually('it is silent', async () => {
      return (await fetch(`${other.url}/readyz`)).status === 503;
    });
    other.command.kill('SIGTERM');
    expect(await other.command.done).toMatchObject({ exitCode: 0 });
    expect(['answered', 'cut']).toContain(await scrape);
  });

  test('a chosen password is not shown, and opens', async () => {
    const CDVAULT_SERVE_PASSWORD = 'päss wörd:"1"';
    const other = await startServe(rig, [], { CDVAULT_SERVE_PASSWORD });
    expect((await other.ask('/metrics')).status).toBe(200);
    other.command.kill();
    const { stderr } = await other.command.done;
    expect(stderr).not.toContain('password');
    expect(stderr).not.toContain('wörd');
  });

  test.each(['0.0.0.0', '::', '192.0.2.7', 'somewhere.example'])(
    'on %s without a password: exit code 2, before anything is started',
    async (host) => {
      // Not even the services are looked at.
      const nowhere = { REDIS_URL: 'redis://127.0.0.1:1/0' };
      const result = await rig.cli(['serve', '--host', host], nowhere);
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toContain(`error USAGE: other machines may reach ${host}`);
      expect(result.stderr).toContain('Set CDVAULT_SERVE_PASSWORD');
    },
  );

  test.each([
    ['--port', '70000', '--port (CDVAULT_SERVE_PORT) must be a number from 0 to 65535'],
    ['--port', '80.5', '--port (CDVAULT_SERVE_PORT) must be'],
    ['--user', 'a:b', '--user (CDVAULT_SERVE_USER) may not hold a colon'],
  ])('%s %s: exit code 2', async (option, value, words) => {
    const result = await rig.cli(['serve', option, value]);
    expect(result.stderr).toContain(`error USAGE: ${words}`);
    expect(result.exitCode).toBe(2);
  });

  test('a port that is taken: exit code 2', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      taken.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => void taken.close());
    const port = String((taken.address() as AddressInfo).port);
    const result = await rig.cli(['serve', '--port', port]);
    expect(result.stderr).toContain(`error USAGE: can't listen on 127.0.0.1 port ${port}`);
    expect(result.exitCode).toBe(2);
  });
});
