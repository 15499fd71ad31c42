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

const WITH_PASSWORD = () => ({ Authorization: authorization('cdvault', served.password) });

describe('access', () => {
  const GUARDED = ['/', '/board', '/board/api/queues', '/board/static/js', '/metrics', '/nowhere'];

  test.each(['/healthz', '/readyz'])('%s needs no password', async (path) => {
    const response = await fetch(served.url + path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(path === '/healthz' ? { alive: true } : { ready: true });
  });

  test.each(GUARDED)('%s needs the password', async (path) => {
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
    ['/', 200],
    ['/board', 200],
    ['/board/', 200],
    ['/board/api/queues', 200],
    ['/metrics', 200],
    ['/nowhere', 404],
  ])('with the password %s answers %d', async (path, status) => {
    expect(await served.ask(path)).toMatchObject({ status });
  });

  test('the board’s page loads scripts from this server only', async () => {
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
    '%s has the security headers for browsers',
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

  test('a form of another site changes nothing, although the browser sends the password', async () => {
    const foreign = {
      ...WITH_PASSWORD(),
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
    // A script could send what a form can't, if the server allowed it in its preflight answer.
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

/** Makes the page of one hour fail for good; it is requested from the trade before the hour. */
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

test('a slice that failed for good is in the board’s tree of its day; retried there, it completes', async () => {
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
    // As the board's page sends it: without a body, and with the browser's header about the origin.
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

describe('start and end', () => {
  test('each run has its own password, printed once and only on standard error; SIGTERM and SIGINT end it', async () => {
    const passwords = new Set([served.password]);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const other = await startServe(rig);
      expect((await other.ask('/board')).status).toBe(200);
      // The kept connection must not delay the end; a browser keeps one, too.
      other.command.kill(signal);
      const { exitCode, stdout, stderr } = await other.command.done;
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
      expect(stderr.split(other.password)).toHaveLength(2);
      passwords.add(other.password);
    }
    expect(passwords.size).toBe(3);
  });

  test('serve ends while a scrape waits for a store that does not answer', async () => {
    const other = await startServe(rig, [], proxied(services));
    onTestFinished(async () => services.questdbPg.heal());
    services.questdbPg.hang();
    const scrape = other.ask('/metrics').then(
      () => 'answered',
      () => 'cut',
    );
    await eventually('the store is reported as not answering', async () => {
      return (await fetch(`${other.url}/readyz`)).status === 503;
    });
    other.command.kill('SIGTERM');
    expect(await other.command.done).toMatchObject({ exitCode: 0 });
    expect(['answered', 'cut']).toContain(await scrape);
  });

  test('a configured password is not printed, and gives access', async () => {
    const CDVAULT_SERVE_PASSWORD = 'päss wörd:"1"';
    const other = await startServe(rig, [], { CDVAULT_SERVE_PASSWORD });
    expect((await other.ask('/metrics')).status).toBe(200);
    other.command.kill();
    const { stderr } = await other.command.done;
    expect(stderr).not.toContain('password');
    expect(stderr).not.toContain('wörd');
  });

  test.each(['0.0.0.0', '::', '192.0.2.7', 'somewhere.example'])(
    'serve on %s without a password ends with exit code 2 before anything is started',
    async (host) => {
      // The services are not even connected to.
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
    ['--user', 'a:b', '--user (CDVAULT_SERVE_USER) must not contain a colon'],
  ])('%s %s ends with exit code 2', async (option, value, words) => {
    const result = await rig.cli(['serve', option, value]);
    expect(result.stderr).toContain(`error USAGE: ${words}`);
    expect(result.exitCode).toBe(2);
  });

  test('a port in use ends with exit code 2', async () => {
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
