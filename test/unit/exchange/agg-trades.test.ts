import { beforeAll, afterAll, describe, expect, it } from 'vitest';
import { startExchange, type Exchange } from '../../exchange/exchange.ts';
import { ask, askTrades, plainTrades, runExchange, START_MS } from './asking.ts';

const at = (index: number): number => START_MS + index * 10;

const firstKept = async (exchange: Exchange, query: string): Promise<number | undefined> => {
  const { text } = await ask(exchange, `aggTrades?symbol=OLDUSDT&limit=1&${query}`);
  return (JSON.parse(text) as { a: number }[])[0]?.a;
};

describe('aggTrades', () => {
  let exchange: Exchange;
  beforeAll(async () => {
    exchange = await startExchange({
      symbols: [
        { symbol: 'BTCUSDT', trades: plainTrades(3000) },
        { symbol: '这是测试币456', trades: plainTrades(3) },
        { symbol: 'OLDUSDT', trades: plainTrades(3000), retentionFirstId: 2000 },
      ],
      enforceWeight: false,
    });
  });
  afterAll(() => exchange.close());

  // ids run from 101 (index 0) to 3100 (index 2999)
  it.each([
    ['the default is 500 of the newest', '', 2601, 3100],
    ['limit without bounds: the newest', 'limit=3', 3098, 3100],
    ['limit above 1000 is clamped', 'limit=5000', 2101, 3100],
    ['limit=1000', 'limit=1000', 2101, 3100],
    ['fromId is inclusive', 'fromId=700&limit=2', 700, 701],
    ['fromId below the first id', 'fromId=0&limit=2', 101, 102],
    ['fromId near the end gives what is left', 'fromId=3099&limit=10', 3099, 3100],
    ['start alone: the oldest from it, inclusive', `startTime=${at(5)}&limit=2`, 106, 107],
    ['start between two trades', `startTime=${at(5) + 1}&limit=2`, 107, 108],
    ['end alone: the newest up to it, inclusive', `endTime=${at(5)}&limit=2`, 105, 106],
    ['end just before a trade', `endTime=${at(5) - 1}&limit=2`, 104, 105],
    ['both: the oldest, not beyond end', `startTime=${at(5)}&endTime=${at(7)}`, 106, 108],
    ['both, cut by limit', `startTime=${at(5)}&endTime=${at(7)}&limit=2`, 106, 107],
    ['equal start and end', `startTime=${at(5)}&endTime=${at(5)}`, 106, 106],
    ['start in µs', `startTime=${at(5) * 1000 + 500}&limit=1`, 106, 106],
    ['start in µs after the trade of that ms', `startTime=${at(5) * 1000 + 501}&limit=1`, 107, 107],
    ['end in µs is inclusive', `endTime=${at(5) * 1000 + 500}&limit=1`, 106, 106],
    ['end in µs before the trade of that ms', `endTime=${at(5) * 1000 + 499}&limit=1`, 105, 105],
    ['start before 2017 is moved to 2017', 'startTime=0&limit=1', 101, 101],
    ['end far ahead is moved to now', 'endTime=99999999999999&limit=1', 3100, 3100],
  ])('%s', async (_name, query, first, last) => {
    const rows = await askTrades(exchange, query);
    expect(rows.map((row) => row.a)).toEqual(
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
  });

  it.each([
    ['fromId beyond the end', 'fromId=3101'],
    ['start after the last trade', `startTime=${at(3000)}`],
    ['end before the first trade', `endTime=${START_MS - 1}`],
    ['a window without trades', `startTime=${at(5) + 1}&endTime=${at(5) + 2}`],
  ])('%s gives []', async (_name, query) => {
    const answer = await ask(exchange, `aggTrades?symbol=BTCUSDT&${query}`);
    expect([answer.status, answer.text]).toEqual([200, '[]']);
  });

  it.each([
    ['aggTrades', -1102, "Mandatory parameter 'symbol' was not sent"],
    ['aggTrades?symbol=', -1105, "Parameter 'symbol' was empty"],
    ['aggTrades?symbol=BTCUSDT&limit=', -1105, "Parameter 'limit' was empty"],
    ['aggTrades?symbol=NOSUCH', -1121, 'Invalid symbol.'],
    ['aggTrades?symbol=btcusdt', -1100, "parameter 'symbol'"],
    ['aggTrades?symbol=BTC/USDT', -1100, "parameter 'symbol'"],
    ['aggTrades?symbol=BTCUSDT&startTime=1.5e12', -1100, "parameter 'startTime'"],
    ['aggTrades?symbol=BTCUSDT&startTime=1704067200000.5', -1100, "parameter 'startTime'"],
    ['aggTrades?symbol=BTCUSDT&endTime=-1', -1100, "parameter 'endTime'"],
    ['aggTrades?symbol=BTCUSDT&fromId=abc', -1100, "parameter 'fromId'"],
    ['aggTrades?symbol=BTCUSDT&fromId=99999999999999999999', -1108, 'overflowed'],
    ['aggTrades?symbol=BTCUSDT&page=2', -1101, "expected '1' and received '2'"],
    ['aggTrades?symbol=BTCUSDT&limit=1&limit=2', -1101, 'Duplicate values'],
    ['aggTrades?symbol=BTCUSDT&fromId=1&startTime=1704067200000', -1128, 'Combination'],
    ['aggTrades?symbol=BTCUSDT&fromId=1&endTime=1704067200000', -1128, 'Combination'],
    ['klines?symbol=BTCUSDT', -1102, "'interval'"],
    ['klines?symbol=BTCUSDT&interval=7m', -1120, 'Invalid interval.'],
    ['klines?symbol=NOSUCH&interval=1m', -1121, 'Invalid symbol.'],
    ['exchangeInfo?symbol=NOSUCH', -1121, 'Invalid symbol.'],
    ['time?x=1', -1101, 'Too many parameters'],
  ])('%s is refused with %i', async (query, code, words) => {
    const answer = await ask(exchange, query);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(JSON.parse(answer.text)).toEqual({
      code,
      msg: expect.stringContaining(words) as string,
    });
  });

  it('writes rows exactly as the exchange does', async () => {
    const { text } = await ask(exchange, 'aggTrades?symbol=BTCUSDT&fromId=101&limit=1');
    expect(text).toBe(
      `[{"a":101,"p":"42000.50000000","q":"0.00100000","f":101,"l":101,"T":${START_MS},"m":true,"M":true}]`,
    );
  });

  it.each(['MICROSECOND', 'microsecond'])('replies in µs when the header says %s', async (unit) => {
    const rows = await askTrades(exchange, 'fromId=101&limit=1', { 'X-MBX-TIME-UNIT': unit });
    expect(rows[0]?.T).toBe(START_MS * 1000 + 500);
  });

  it('takes the unit of the reply from the header alone', async () => {
    const rows = await askTrades(exchange, `startTime=${START_MS * 1000}&limit=1`);
    expect(rows[0]?.T).toBe(START_MS);
  });

  it('accepts symbols in other scripts', async () => {
    const name = encodeURIComponent('这是测试币456');
    const answer = await ask(exchange, `aggTrades?symbol=${name}&limit=1`);
    expect(answer.status).toBe(200);
  });

  it('skips without an error to the first id that it still keeps', async () => {
    expect(await firstKept(exchange, 'fromId=101')).toBe(2000);
    expect(await firstKept(exchange, `startTime=${START_MS}`)).toBe(2000);
    expect(await firstKept(exchange, 'fromId=2500')).toBe(2500);
  });

  it('logs what it served', async () => {
    exchange.requests.clear();
    await askTrades(exchange, 'fromId=200&limit=5', { 'X-MBX-TIME-UNIT': 'MICROSECOND' });
    expect(exchange.requests.tradeRequests()).toHaveLength(1);
    expect(exchange.requests.count('/api/v3/aggTrades')).toBe(1);
    expect(exchange.requests.entries[0]).toMatchObject({
      query: { symbol: 'BTCUSDT', fromId: '200', limit: '5' },
      headers: { 'x-mbx-time-unit': 'MICROSECOND' },
      status: 200,
      weight: 4,
      rows: 5,
      firstId: 200,
      lastId: 204,
    });
    expect(exchange.requests.format()).toMatch(
      /fromId=200&limit=5 us → 200 weight 4 .*ids 200\.\.204/,
    );
  });
});

describe('the clock and the listing', () => {
  it('does not show trades that have not happened yet', async () => {
    let nowMs = at(2);
    const exchange = await runExchange({
      symbols: [{ symbol: 'BTCUSDT', trades: plainTrades(10) }],
      nowMs: () => nowMs,
    });
    expect((await askTrades(exchange, 'fromId=101')).map((row) => row.a)).toEqual([101, 102, 103]);
    nowMs = at(3);
    expect((await askTrades(exchange, 'limit=1')).map((row) => row.a)).toEqual([104]);
    nowMs = START_MS - 1;
    expect(await askTrades(exchange, '')).toEqual([]);
  });

  it('gives its time, limits and symbols', async () => {
    const exchange = await runExchange({
      symbols: [
        { symbol: 'BTCUSDT', trades: plainTrades(10) },
        { symbol: 'ETHBTC', trades: plainTrades(10), status: 'BREAK' },
      ],
      nowMs: () => START_MS,
      weightLimit: 1200,
      weightWindow: { interval: 'SECOND', intervalNum: 10 },
    });
    expect((await ask(exchange, 'ping')).text).toBe('{}');
    expect((await ask(exchange, 'time')).text).toBe(`{"serverTime":${START_MS}}`);
    exchange.setStatus('BTCUSDT', 'HALT');
    const info = await ask(exchange, 'exchangeInfo');
    expect(info.headers.get('x-mbx-used-weight-10s')).toBe('22');
    expect(JSON.parse(info.text)).toMatchObject({
      rateLimits: [
        { rateLimitType: 'REQUEST_WEIGHT', interval: 'SECOND', intervalNum: 10, limit: 1200 },
        {},
        {},
        {},
      ],
      symbols: [
        {
          symbol: 'BTCUSDT',
          status: 'HALT',
          baseAsset: 'BTC',
          quoteAsset: 'USDT',
          filters: [{ tickSize: '0.10000000' }, { stepSize: '0.00100000' }],
        },
        { symbol: 'ETHBTC', status: 'BREAK', baseAsset: 'ETH', quoteAsset: 'BTC' },
      ],
    });
    const one = JSON.parse((await ask(exchange, 'exchangeInfo?symbol=ETHBTC')).text) as {
      symbols: unknown[];
    };
    expect(one.symbols).toHaveLength(1);
    exchange.delist('ETHBTC');
    expect((await ask(exchange, 'aggTrades?symbol=ETHBTC')).text).toContain('-1121');
  });

  it('compresses only for clients that accept it', async () => {
    const exchange = await runExchange({
      symbols: [{ symbol: 'BTCUSDT', trades: plainTrades(100) }],
    });
    const query = 'aggTrades?symbol=BTCUSDT';
    const packed = await ask(exchange, query, { 'accept-encoding': 'gzip' });
    const plain = await ask(exchange, query, { 'accept-encoding': 'identity' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(packed.text).toBe(plain.text);
  });
});
