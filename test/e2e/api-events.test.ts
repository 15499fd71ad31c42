import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY_MS } from '../../src/domain/time/hour.ts';
import { makeOwnServices, type OwnServices } from '../support/own-services.ts';
import { unique } from '../support/command-line.ts';
import { type Served, startServe } from '../support/served.ts';
import { openStore } from '../support/store.ts';
import { eventually, Rig, spot, um } from './rig.ts';

/** The file's own services, since it stops QuestDB while `serve` runs. */

const SERIES = spot(unique('EVT'));
const OTHER = um(unique('EVT'));
const DAY = Date.UTC(2024, 4, 6);

let own: OwnServices;
let rig: Rig;
let served: Served;

beforeAll(async () => {
  own = await makeOwnServices();
  rig = await Rig.start({ services: await own.start() });
  await rig.app();
  served = await startServe(rig);
}, 300_000);

afterAll(async () => {
  await rig.dispose();
  await own.dispose();
});

/** Says that the bars of a day were built. */
async function build(series: typeof SERIES, dayMs: number): Promise<void> {
  const store = openStore(rig.services);
  const day = {
    dayMs,
    inputs: '',
    levelFromMs: dayMs,
    rows: 0,
    idStart: 0,
    idEnd: 0,
    missing: 0,
    deltaE8: 0n,
    volumeE8: 0n,
    hours: [],
  };
  await store.bars.stamp([{ series, day }], Date.now());
  await store.close();
}

interface Listening {
  /** All that was received. */
  readonly text: () => string;
  readonly stop: () => Promise<void>;
}

async function listen(series: readonly string[]): Promise<Listening> {
  const ending = new AbortController();
  const query = series.map((one) => `series=${one}`).join('&');
  const response = await served.ask(`/api/v1/events?${query}`, { signal: ending.signal });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) text += decoder.decode(piece as Uint8Array);
  })().catch(() => undefined);
  return {
    text: () => text,
    async stop() {
      ending.abort();
      await reading;
    },
  };
}

const told = (series: typeof SERIES, fromMs: number, days = 1) =>
  `event: bars\ndata: ${JSON.stringify({
    market: series.market.slice('binance_'.length),
    symbol: series.symbol,
    from: fromMs,
    to: fromMs + days * DAY_MS,
  })}\n\n`;

test('the status says what runs', async () => {
  const response = await served.ask('/api/v1/status');
  expect(await response.json()).toEqual({
    version: expect.any(String) as string,
    services: { redis: true, store: true },
    jobs: { waiting: 0, active: 0, failed: 0 },
    lag: null,
    lastError: null,
  });
});

test('days of listed series are told when they are built, also after QuestDB was away', async () => {
  const ours = await listen([`spot:${SERIES.symbol}`]);
  const both = await listen([`spot:${SERIES.symbol}`, `um:${OTHER.symbol}`]);
  await eventually('the first look is over', () => both.text().includes('event: status'));
  expect(ours.text()).toContain('retry: 2000\n\n');
  await build(SERIES, DAY);
  await build(OTHER, DAY + DAY_MS);
  await eventually('both are told', () => both.text().includes(told(OTHER, DAY + DAY_MS)));
  expect(both.text()).toContain(told(SERIES, DAY));
  await eventually('it is told', () => ours.text().includes(told(SERIES, DAY)));
  expect(ours.text()).not.toContain(OTHER.symbol);

  await own.kill('questdb');
  await eventually('the status says so', () =>
    ours.text().includes('"services":{"redis":true,"store":false}'),
  );
  await own.start();
  await build(SERIES, DAY + 2 * DAY_MS);
  await eventually('what was built then is told', () =>
    ours.text().includes(told(SERIES, DAY + 2 * DAY_MS)),
  );
  // Each day once.
  expect(ours.text().split('event: bars')).toHaveLength(3);
  await Promise.all([ours.stop(), both.stop()]);
});

test('a request for its headers alone takes no place', async () => {
  for (let round = 0; round < 60; round += 1) {
    const { status } = await served.ask('/api/v1/events', { method: 'HEAD' });
    expect(status).toBe(200);
  }
  await (await listen([])).stop();
});

test('a place of a client that has gone is free again; too many are refused', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, async () => listen([])));
  const more = await served.ask('/api/v1/events');
  expect([more.status, more.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await more.json()).toMatchObject({ error: { code: 'QUERY_BUSY' } });
  await Promise.all(all.map(async ({ stop }) => stop()));
  await eventually('a place is free', async () => {
    const ending = new AbortController();
    const { status } = await served.ask('/api/v1/events', { signal: ending.signal });
    ending.abort();
    return status === 200;
  });
});

test.each(['series=BTCUSDT', 'series=spot:A%20B', 'symbol=X'])('refuses %s', async (query) => {
  const response = await served.ask(`/api/v1/events?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'USAGE' } });
});
