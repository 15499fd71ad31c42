import { get, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Exchange, ExchangeOptions } from '../../exchange/exchange.ts';
import { ask, plainTrades, runExchange, START_MS } from './asking.ts';

const TRADES = 'aggTrades?symbol=BTCUSDT&limit=1';

/** An exchange whose clock stands still until the test moves it. */
async function withClock(
  options: Partial<ExchangeOptions>,
): Promise<{ exchange: Exchange; clock: { nowMs: number } }> {
  const clock = { nowMs: START_MS + 3_600_000 };
  const exchange = await runExchange({
    symbols: [{ symbol: 'BTCUSDT', trades: plainTrades(10) }],
    nowMs: () => clock.nowMs,
    toleratedOverLimit: 0,
    inFlightMs: 0,
    ...options,
  });
  return { exchange, clock };
}

async function used(exchange: Exchange, query: string): Promise<number> {
  return Number((await ask(exchange, query)).headers.get('x-mbx-used-weight-1m'));
}

/** As seen by a client with this address. */
async function usedFrom(exchange: Exchange, localAddress: string): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${exchange.url}/api/v3/${TRADES}`, { localAddress }, resolve).on('error', reject);
  });
  response.resume();
  return Number(response.headers['x-mbx-used-weight-1m']);
}

describe('weight', () => {
  it('counts each endpoint by its weight, errors included', async () => {
    const { exchange } = await withClock({});
    expect(await used(exchange, 'ping')).toBe(1);
    expect(await used(exchange, 'time')).toBe(2);
    expect(await used(exchange, TRADES)).toBe(6);
    expect(await used(exchange, 'klines?symbol=BTCUSDT&interval=1m')).toBe(8);
    expect(await used(exchange, 'exchangeInfo')).toBe(28);
    expect(await used(exchange, 'aggTrades?symbol=NOSUCH')).toBe(32);
    expect(await used(exchange, 'aggTrades')).toBe(36);
  });

  it('sends the header under its old and its new name', async () => {
    const { exchange } = await withClock({});
    const { headers } = await ask(exchange, TRADES);
    expect([headers.get('x-mbx-used-weight'), headers.get('x-mbx-used-weight-1m')]).toEqual([
      '4',
      '4',
    ]);
  });

  it('starts from 0 in each window of the clock', async () => {
    const { exchange, clock } = await withClock({});
    clock.nowMs += 59_000;
    await ask(exchange, TRADES);
    clock.nowMs += 999;
    expect(await used(exchange, TRADES)).toBe(8);
    clock.nowMs += 1;
    expect(await used(exchange, TRADES)).toBe(4);
  });

  it('counts all clients as one, or each address for itself', async () => {
    const shared = (await withClock({})).exchange;
    expect([await usedFrom(shared, '127.0.0.2'), await usedFrom(shared, '127.0.0.3')]).toEqual([
      4, 8,
    ]);
    const { exchange } = await withClock({ weightByAddress: true });
    expect([await usedFrom(exchange, '127.0.0.2'), await usedFrom(exchange, '127.0.0.3')]).toEqual([
      4, 4,
    ]);
    expect(await usedFrom(exchange, '127.0.0.2')).toBe(8);
    const addresses = exchange.requests.entries.map(({ address }) => address);
    expect(addresses).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.2']);
  });

  it('adds the weight that others on the address use', async () => {
    const { exchange } = await withClock({});
    exchange.addForeignWeight(100);
    expect(await used(exchange, TRADES)).toBe(104);
  });

  it('answers 429 over the limit, with the seconds to the next window', async () => {
    const { exchange, clock } = await withClock({ weightLimit: 8 });
    clock.nowMs += 17_000;
    await ask(exchange, TRADES);
    expect((await ask(exchange, TRADES)).status).toBe(200);
    const refused = await ask(exchange, TRADES);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('43');
    expect(refused.headers.get('x-mbx-used-weight-1m')).toBe('12');
    expect(JSON.parse(refused.text)).toMatchObject({
      code: -1003,
      msg: expect.stringContaining('current limit is 8 request weight per 1 MINUTE') as string,
    });
    clock.nowMs += 43_000;
    expect((await ask(exchange, TRADES)).status).toBe(200);
    expect(exchange.requests.violations()).toEqual([]);
  });

  it('bans clients that go on, longer each time, and records the violations', async () => {
    const { exchange, clock } = await withClock({ weightLimit: 4, banSeconds: [120, 600] });
    const overrun = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let call = 0; call < 3; call++) statuses.push((await ask(exchange, TRADES)).status);
      return statuses;
    };
    expect(await overrun()).toEqual([200, 429, 418]);
    const banned = await ask(exchange, 'ping');
    expect(banned.status).toBe(418);
    // The call during the first ban replaced its length by that of the second.
    expect(banned.headers.get('retry-after')).toBe('600');
    expect(banned.text).toContain(`IP banned until ${clock.nowMs + 600_000}.`);
    expect(exchange.requests.violations().map((entry) => entry.violation)).toEqual([
      'during-back-off',
      'during-ban',
    ]);
    clock.nowMs += 600_000;
    expect((await ask(exchange, 'ping')).status).toBe(200);
    exchange.addForeignWeight(10);
    expect([(await ask(exchange, TRADES)).status, (await ask(exchange, TRADES)).status]).toEqual([
      429, 418,
    ]);
    expect(exchange.requests.entries.at(-1)?.status).toBe(418);
  });

  it('tolerates calls that were already on their way', async () => {
    const { exchange } = await withClock({
      weightLimit: 4,
      toleratedOverLimit: 10,
      inFlightMs: 10_000,
    });
    await ask(exchange, TRADES);
    const statuses = await Promise.all(
      [1, 2, 3].map(async () => (await ask(exchange, TRADES)).status),
    );
    expect(statuses).toEqual([429, 429, 429]);
    expect(exchange.requests.violations()).toEqual([]);
  });

  it('an imposed ban counts only the second call as a violation', async () => {
    const { exchange, clock } = await withClock({ banSeconds: [30] });
    exchange.ban(60);
    expect((await ask(exchange, TRADES)).headers.get('retry-after')).toBe('60');
    expect(exchange.requests.violations()).toEqual([]);
    clock.nowMs += 50_000;
    expect((await ask(exchange, TRADES)).headers.get('retry-after')).toBe('30');
    expect(exchange.requests.violations()).toHaveLength(1);
    clock.nowMs += 30_000;
    expect((await ask(exchange, TRADES)).status).toBe(200);
  });

  it('is still counted in the header when the limit is lifted', async () => {
    const { exchange } = await withClock({ enforceWeight: false });
    exchange.addForeignWeight(100_000);
    const answer = await ask(exchange, TRADES);
    expect([answer.status, answer.headers.get('x-mbx-used-weight-1m')]).toEqual([200, '100004']);
    expect((await ask(exchange, 'exchangeInfo')).text).toContain('"limit":1000000000');
  });
});
