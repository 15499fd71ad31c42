import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { App } from '../../src/cli/compose.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { unique } from '../support/command-line.ts';
import { proxied, type ProxiedServices, proxyServices } from '../support/proxied-services.ts';
import { authorization, type Served, startServe } from '../support/served.ts';
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
const POISON = unique('SRVA');

let services: ProxiedServices;
let rig: Rig;
let app: App;
let served: Served;

beforeAll(async () => {
  services = await proxyServices(inject('services'));
  rig = await Rig.start({ symbols: [{ symbol: POISON, trades }] });
  app = await rig.app();
  served = await startServe(rig, [], proxied(services));
});

afterAll(async () => {
  await rig.dispose();
  await services.close();
});

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
    const foreign = {
      ...KNOWING(),
      Origin: 'http://elsewhere.example',
      'Sec-Fetch-Site': 'cross-site',
    };
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
    expect.objectContaining({
      name: `${POISON} spot 2024-08-03T03Z`,
      failedReason: expect.stringMatching(/^UNKNOWN_SYMBOL: /),
      stacktrace: [expect.stringMatching(/^UNKNOWN_SYMBOL: .*\nCheck the spelling .*\n\s+at /)],
    }),
  ]);
  const id = failed[0]?.id ?? '';
  expect(await flowOf('slice-binance_spot', id)).toEqual(tree);
  expect(await app.ledger.totals(spot(POISON), RANGE)).toMatchObject({ proven: HOURS - 1 });

  const retry = await served.ask(`/board/api/queues/slice-binance_spot/${id}/retry`, {
    method: 'PUT',
    // As the board's own page asks: without a body, and the browser says whence.
    headers: { 'Sec-Fetch-Site': 'same-origin' },
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
    const other = await startServe(rig, [], proxied(services));
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
      expect(result.stderr).toContain(`error USAGE: listening on ${host} requires a password`);
      expect(result.stderr).toContain('Set CDVAULT_SERVE_PASSWORD');
    },
  );

  test.each([
    ['--port', '70000', '--port (CDVAULT_SERVE_PORT) must be a whole number from 0 to 65535'],
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
