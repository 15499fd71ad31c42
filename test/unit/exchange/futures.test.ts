import { describe, expect, it } from 'vitest';
import type { Exchange, ExchangeOptions } from '../../exchange/exchange.ts';
import { withExcludedFills } from '../../exchange/excluded-fills.ts';
import { syntheticTrades } from '../../exchange/synthetic-trades.ts';
import { runExchange } from './asking.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 5, 10, 12, 30);
const span = { fromMs: NOW - 60 * HOUR_MS, toMs: NOW + HOUR_MS, tradesPerHour: 300 };
const trades = withExcludedFills(syntheticTrades({ seed: 5, ...span }));
const contracts = withExcludedFills(
  syntheticTrades({ seed: 6, ...span, qtyDecimals: 0, typicalLots: 20 }),
);
const spot = syntheticTrades({ seed: 7, ...span });

const open = (options: Partial<ExchangeOptions> = {}): Promise<Exchange> =>
  runExchange({
    symbols: [
      { symbol: 'BTCUSDT', trades: spot },
      { market: 'um', symbol: 'BTCUSDT', trades },
      { market: 'cm', symbol: 'BTCUSD_PERP', trades: contracts, contractSize: 100 },
    ],
    nowMs: () => NOW,
    ...options,
  });

interface Said {
  readonly status: number;
  readonly used: string | null;
  readonly body: unknown;
}

async function ask(exchange: Exchange, path: string): Promise<Said> {
  const reply = await fetch(`${exchange.url}${path}`);
  return {
    status: reply.status,
    used: reply.headers.get('x-mbx-used-weight-1m'),
    body: await reply.json(),
  };
}

type Row = Readonly<Record<string, unknown>>;
const UM = '/fapi/v1/aggTrades?symbol=BTCUSDT';

describe('futures', () => {
  it('serve the trades of each market under its own path, and count its weight separately', async () => {
    const exchange = await open();
    const first = async (path: string) => (await ask(exchange, path)).body as Row[];
    const [onSpot] = await first('/api/v3/aggTrades?symbol=BTCUSDT&limit=1');
    const [onUm] = await first(`${UM}&limit=1`);
    expect(onSpot?.['p']).not.toBe(onUm?.['p']);
    expect((await ask(exchange, `${UM}&limit=1`)).used).toBe('40');
    expect((await ask(exchange, '/dapi/v1/time')).used).toBe('1');
    expect((await ask(exchange, '/api/v3/time')).used).toBe('5');
    expect((await ask(exchange, '/dapi/v1/aggTrades?symbol=BTCUSDT')).body).toMatchObject({
      code: -1121,
    });
  });

  it('have the fields of their market: nq on USD-M only, no M, milliseconds, no trailing zeros', async () => {
    const exchange = await open();
    const um = (await ask(exchange, `${UM}&limit=200`)).body as Row[];
    const cm = (await ask(exchange, '/dapi/v1/aggTrades?symbol=BTCUSD_PERP&limit=200'))
      .body as Row[];
    expect(Object.keys(um[0] ?? {})).toEqual(['a', 'p', 'q', 'nq', 'f', 'l', 'T', 'm']);
    expect(Object.keys(cm[0] ?? {})).toEqual(['a', 'p', 'q', 'f', 'l', 'T', 'm']);
    expect(cm.every(({ q }) => /^\d+$/.test(String(q)))).toBe(true);
    expect(um.some(({ q, nq }) => Number(nq) < Number(q))).toBe(true);
    expect(um.every(({ T }) => Number(T) < 1e13)).toBe(true);
    expect(um.some(({ p }) => /\.\d*0$/.test(String(p)))).toBe(false);
  });

  it('leave out some raw ids, but no aggregate ids', async () => {
    const rows = (await ask(await open(), `${UM}&limit=1000`)).body as {
      readonly a: number;
      readonly f: number;
      readonly l: number;
    }[];
    const pairs = rows.slice(1).map((row, index) => [rows[index], row] as const);
    expect(pairs.every(([before, row]) => row.a === (before?.a ?? 0) + 1)).toBe(true);
    expect(pairs.filter(([before, row]) => row.f !== (before?.l ?? 0) + 1)).toHaveLength(20);
  });

  it('refuse a wide window, a limit above 1000, and what is older than 48 hours', async () => {
    const exchange = await open();
    const start = NOW - 5 * HOUR_MS;
    const status = async (query: string) => (await ask(exchange, `${UM}&${query}`)).status;
    expect(await status(`startTime=${start}&endTime=${start + HOUR_MS}`)).toBe(400);
    expect(await status(`startTime=${start}&endTime=${start + HOUR_MS - 1}`)).toBe(200);
    expect((await ask(exchange, `${UM}&limit=1001`)).body).toMatchObject({ code: -1130 });
    expect(await status(`startTime=${NOW - 48 * HOUR_MS}`)).toBe(200);
    expect(await status(`startTime=${NOW - 48 * HOUR_MS - 1}`)).toBe(400);
    expect(await status('fromId=1')).toBe(400);
  });

  it('may skip what is too old without an error', async () => {
    const exchange = await open({ futures: { beyondHistory: 'skip' } });
    const rows = async (query: string) =>
      (await ask(exchange, `${UM}&limit=1&${query}`)).body as { readonly T: number }[];
    const [byId] = await rows('fromId=1');
    const [byTime] = await rows(`startTime=${NOW - 55 * HOUR_MS}`);
    expect(byId).toEqual(byTime);
    expect(byId?.T).toBeGreaterThanOrEqual(NOW - 48 * HOUR_MS);
  });

  it('give all symbols at once, with the field names of each market', async () => {
    const exchange = await open();
    exchange.setStatus('BTCUSD_PERP', 'SETTLING', 'cm');
    const um = (await ask(exchange, '/fapi/v1/exchangeInfo')).body as { symbols: Row[] };
    const cm = (await ask(exchange, '/dapi/v1/exchangeInfo')).body as { symbols: Row[] };
    const facts = { onboardDate: NOW - 60 * HOUR_MS, contractType: 'PERPETUAL' };
    expect(um.symbols).toMatchObject([{ symbol: 'BTCUSDT', status: 'TRADING' }]);
    expect(um.symbols[0]?.['contractType']).toBe(facts.contractType);
    expect(um.symbols[0]?.['onboardDate']).toBeGreaterThanOrEqual(facts.onboardDate);
    expect(cm.symbols).toMatchObject([
      { symbol: 'BTCUSD_PERP', contractStatus: 'SETTLING', contractSize: 100 },
    ]);
    expect(um).toMatchObject({ rateLimits: [{ limit: 2400 }, {}] });
    expect((await ask(exchange, '/fapi/v1/exchangeInfo?symbol=BTCUSDT')).status).toBe(400);
  });

  it('have candles that count fills outside of aggregate trades; those of COIN-M are in contracts', async () => {
    const exchange = await open();
    const startMs = NOW - 10 * HOUR_MS;
    const path = `/dapi/v1/klines?symbol=BTCUSD_PERP&interval=1m&startTime=${startMs}&limit=60`;
    const { body, used } = await ask(exchange, path);
    const klines = body as [number, ...string[]][];
    expect(used).toBe('1');
    const [from, to] = [startMs, startMs + HOUR_MS].map((ms) => contracts.indexAtTime(ms * 1000));
    let [volume, coins, raw] = [0, 0, 0];
    for (let index = from ?? 0; index < (to ?? 0); index++) {
      const { q, p, f, l } = contracts.at(index);
      volume += Number(q);
      coins += (Number(q) * 100) / Number(p);
      raw += l - f + 1;
    }
    const sum = (column: number) =>
      klines.reduce((total, kline) => total + Number(kline[column]), 0);
    expect(sum(5)).toBe(volume);
    expect(sum(7)).toBeCloseTo(coins, 5);
    expect(sum(8)).toBeGreaterThan(raw);
  });
});
