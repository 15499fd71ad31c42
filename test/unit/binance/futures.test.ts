import { describe, expect, it } from 'vitest';
import type { RestSource } from '../../../src/adapters/binance/rest-source.ts';
import { klinesJson, pageJson } from './fakes.ts';
import { bench, type Bench, errorOf, json, NEVER } from './source-bench.ts';

const PAGE = pageJson(100, 3, (index) => 1704103200000 + index);

describe('futures', () => {
  it.each([
    ['binance_um', '/fapi/v1'],
    ['binance_cm', '/dapi/v1'],
  ] as const)('requests %s under %s, with its own weights', async (market, path) => {
    const { source, server, governor } = await bench((response) => json(response, PAGE));
    const series = { market, symbol: 'BTCUSD_PERP' };
    await source.page(series, { fromId: 100, unit: 'ms' }, NEVER);
    await source.firstAtOrAfter(series, 1704103200000, 'ms', NEVER);
    expect(server.requests.map(({ url }) => url)).toEqual([
      `${path}/aggTrades?symbol=BTCUSD_PERP&fromId=100&limit=1000`,
      // Without an end: a window of an hour or more would be refused.
      `${path}/aggTrades?symbol=BTCUSD_PERP&startTime=1704103200000&limit=1`,
    ]);
    expect(governor.acquired).toEqual([20, 20]);
    expect([source.pageWeight(market), source.historyMs(market)]).toEqual([20, 172_800_000]);
  });

  it('requests the symbols and limits of a futures market without naming a symbol', async () => {
    const info = {
      rateLimits: [
        { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 },
      ],
      symbols: [{ symbol: 'BTCUSD_PERP', contractStatus: 'SETTLING', contractSize: 100 }],
    };
    const { source, server } = await bench((response) => json(response, JSON.stringify(info)));
    const series = { market: 'binance_cm', symbol: 'BTCUSD_PERP' } as const;
    expect(await source.exchangeLimits('binance_cm', NEVER)).toMatchObject({
      weightLimit: 2400,
      weight: 1,
    });
    expect(await source.isTrading(series, NEVER)).toBe(false);
    // The list of all symbols, requested once, answers for others too.
    expect(await source.isTrading({ ...series, symbol: 'NOSUCH' }, NEVER)).toBe(false);
    expect(await source.contractSize(series, NEVER)).toBe('100');
    expect(await source.contractSize({ ...series, symbol: 'NOSUCH' }, NEVER)).toBeUndefined();
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/dapi/v1/exchangeInfo',
      '/dapi/v1/exchangeInfo',
    ]);
  });

  it('sends no time unit to futures, and requests no contract size of USD-M', async () => {
    const range = { startMs: 1704103200000, endMs: 1704103320000 };
    const { source, server, governor } = await bench((response) =>
      json(response, klinesJson(range.startMs, 2)),
    );
    const um = { market: 'binance_um', symbol: 'BTCUSDT' } as const;
    await source.minuteKlines(um, range, NEVER);
    expect(await source.contractSize(um, NEVER)).toBeUndefined();
    expect(server.requests.map(({ headers }) => headers['x-mbx-time-unit'])).toEqual([undefined]);
    expect(governor.acquired).toEqual([5]);
  });
});

describe('a refused futures request', () => {
  const um = { market: 'binance_um', symbol: 'BTCUSDT' } as const;
  const spot = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
  const HOUR_MS = 3_600_000;
  const serverTime = 1_790_000_000_000;
  const refusal = '{"code":-4499,"msg":"not in this table"}';
  const keptId = 5_000;

  /**
   * Trades of the last 48 hours have ids from 5000 on; requests for older ones are refused. Two more are refused
   * for another reason: id 5001 and the symbol WRONG.
   */
  async function refusing(): Promise<Bench> {
    const made: Bench = await bench((response, index) => {
      const url = new URL(made.server.requests[index]?.url ?? '', 'http://x');
      const [from, id] = ['startTime', 'fromId'].map((name) => url.searchParams.get(name));
      if (url.pathname === '/fapi/v1/time') return json(response, `{"serverTime":${serverTime}}`);
      const isOld =
        from === null || from === undefined
          ? Number(id) < keptId
          : Number(from) < serverTime - 48 * HOUR_MS;
      const isOdd = Number(id) === keptId + 1 || url.searchParams.get('symbol') === 'WRONG';
      if (isOld || isOdd) return json(response, refusal, 400);
      return json(
        response,
        pageJson(keptId, 1, () => serverTime - 47 * HOUR_MS),
      );
    });
    return made;
  }

  it.each([
    [
      'by time',
      (source: RestSource) => source.firstAtOrAfter(um, serverTime - 48 * HOUR_MS - 1, 'ms', NEVER),
    ],
    ['by id', (source: RestSource) => source.page(um, { fromId: keptId - 1, unit: 'ms' }, NEVER)],
  ])('%s for trades beyond the history is RETENTION, whatever the code', async (_, ask) => {
    const { source } = await refusing();
    const error = await errorOf(ask(source));
    expect(error.code).toBe('RETENTION');
    expect(error.retryable).toBe(false);
    expect(error.message).toContain('futures REST serves only the last 48 hours');
    expect(String(error.cause)).toContain('-4499');
  });

  it('for another reason is EXCHANGE_REFUSED', async () => {
    const { source } = await refusing();
    const wrong = { ...um, symbol: 'WRONG' };
    const recentMs = serverTime - 47 * HOUR_MS;
    expect((await errorOf(source.firstAtOrAfter(wrong, recentMs, 'ms', NEVER))).code).toBe(
      'EXCHANGE_REFUSED',
    );
    // The source asks the exchange which ids it keeps, and this is one of them.
    expect((await errorOf(source.page(um, { fromId: keptId + 1, unit: 'ms' }, NEVER))).code).toBe(
      'EXCHANGE_REFUSED',
    );
  });

  it('on spot leads to no further request: spot serves all of its history', async () => {
    const { source, server } = await bench((response) => json(response, refusal, 400));
    expect((await errorOf(source.firstAtOrAfter(spot, 1, 'ms', NEVER))).code).toBe(
      'EXCHANGE_REFUSED',
    );
    expect(server.requests).toHaveLength(1);
  });
});
