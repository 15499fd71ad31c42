import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { klinesJson, pageJson } from './fakes.ts';
import { bench, errorOf, json, NEVER, type Respond } from './source-bench.ts';

const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
const PAGE = pageJson(100, 3, (index) => 1704103200000 + index);

describe('a request', () => {
  it('for a page by id has the weight of its endpoint, and no header for milliseconds', async () => {
    const { source, server, governor } = await bench((response) => json(response, PAGE));
    const rows = await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER);
    expect(rows.map((row) => row.aggId)).toEqual([100, 101, 102]);
    expect(server.requests[0]?.url).toBe('/api/v3/aggTrades?symbol=BTCUSDT&fromId=100&limit=1000');
    expect(server.requests[0]?.headers['x-mbx-time-unit']).toBeUndefined();
    expect(governor.acquired).toEqual([4]);
    expect(governor.observed.map((seen) => seen.usedWeight)).toEqual([77]);
  });

  it('for microseconds sends them and asks for them in the reply', async () => {
    const { source, server } = await bench((response) =>
      json(
        response,
        pageJson(1, 1, () => 1735689600000123),
      ),
    );
    const trade = await source.firstAtOrAfter(SERIES, 1735689600000, 'us', NEVER);
    expect(trade?.timeUs).toBe(1735689600000123);
    expect(server.requests[0]?.url).toBe(
      '/api/v3/aggTrades?symbol=BTCUSDT&startTime=1735689600000000&limit=1',
    );
    expect(server.requests[0]?.headers['x-mbx-time-unit']).toBe('MICROSECOND');
  });

  it('for the first trade by time gives the trade, or undefined', async () => {
    const { source, server } = await bench((response, index) =>
      json(response, index === 0 ? '[]' : PAGE),
    );
    expect(await source.firstAtOrAfter(SERIES, 1704103200000, 'ms', NEVER)).toBeUndefined();
    expect((await source.firstAtOrAfter(SERIES, 1704103200000, 'ms', NEVER))?.aggId).toBe(100);
    expect(server.requests[0]?.url).toBe(
      '/api/v3/aggTrades?symbol=BTCUSDT&startTime=1704103200000&limit=1',
    );
  });

  it('may give a page that starts after the requested id: the caller records the missing ids', async () => {
    const { source } = await bench((response) => json(response, PAGE));
    expect((await source.page(SERIES, { fromId: 5, unit: 'ms' }, NEVER))[0]?.aggId).toBe(100);
  });

  it('for the klines of a range leaves out its end', async () => {
    const range = { startMs: 1704103200000, endMs: 1704103320000 };
    const reply = klinesJson(range.startMs, 2);
    const { source, server, governor } = await bench((response) => json(response, reply));
    expect(await source.minuteKlines(SERIES, range, NEVER)).toHaveLength(2);
    expect(server.requests[0]?.url).toBe(
      '/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1704103200000&endTime=1704103319999&limit=1000',
    );
    expect(server.requests[0]?.headers['x-mbx-time-unit']).toBe('MILLISECOND');
    expect(governor.acquired).toEqual([2]);
  });

  it('for klines must be of whole minutes, from one to a page of them', async () => {
    const { source, server } = await bench((response) => json(response, '[]'));
    for (const lengthMs of [-60_000, 0, 90_000, 1001 * 60_000]) {
      const range = { startMs: 1704103200000, endMs: 1704103200000 + lengthMs };
      expect((await errorOf(source.minuteKlines(SERIES, range, NEVER))).code).toBe('INTERNAL');
    }
    expect(server.requests).toHaveLength(0);
  });

  it('escapes symbols, and its reply may be gzip', async () => {
    const { source, server } = await bench((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(PAGE)),
    );
    expect(
      await source.page({ ...SERIES, symbol: '测试币456' }, { fromId: 100, unit: 'ms' }, NEVER),
    ).toHaveLength(3);
    expect(server.requests[0]?.url).toContain('symbol=%E6%B5%8B%E8%AF%95%E5%B8%81456&');
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip');
  });

  it('uses the connection of the one before', async () => {
    const ports = new Set<number | undefined>();
    const { source } = await bench((response) => {
      ports.add(response.socket?.remotePort);
      json(response, PAGE);
    });
    for (let request = 0; request < 20; request += 1)
      await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER);
    // Two, since the next request may be sent before the first connection is known to be free.
    expect(ports.size).toBeLessThanOrEqual(2);
  });
});

describe('a refusal', () => {
  const html = '<html><body>Request blocked.</body></html>';

  it.each([
    { status: 403, body: html, code: 'EXCHANGE_BLOCKED', reason: 'blocked' },
    {
      status: 418,
      body: '{"code":-1003,"msg":"banned"}',
      code: 'EXCHANGE_BANNED',
      reason: 'banned',
    },
    {
      status: 451,
      body: '{"code":0,"msg":"restricted location"}',
      code: 'EXCHANGE_RESTRICTED',
      reason: 'restricted',
    },
    {
      status: 429,
      body: '{"code":-1003,"msg":"too much"}',
      code: 'EXCHANGE_RATE_LIMITED',
      reason: 'rate_limited',
      requests: 3,
    },
    { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}', code: 'UNKNOWN_SYMBOL' },
    { status: 400, body: '{"code":-1102,"msg":"Mandatory parameter"}', code: 'EXCHANGE_REFUSED' },
    { status: 503, body: '{"code":-1016,"msg":"shutting down"}', code: 'EXCHANGE_REFUSED' },
    {
      status: 408,
      body: '{"code":-1007,"msg":"timeout"}',
      code: 'EXCHANGE_UNAVAILABLE',
      requests: 3,
    },
    { status: 503, body: '{"code":-1008,"msg":"busy"}', code: 'EXCHANGE_UNAVAILABLE', requests: 3 },
    { status: 502, body: html, code: 'EXCHANGE_UNAVAILABLE', requests: 3 },
  ])('HTTP $status $body is $code', async ({ status, body, code, reason, requests = 1 }) => {
    const { source, server, governor, sent } = await bench((response) =>
      json(response, body, status, { 'retry-after': '60' }),
    );
    const startedAtMs = Date.now();
    expect((await errorOf(source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER))).code).toBe(
      code,
    );
    expect(server.requests).toHaveLength(requests);
    // Every attempt acquires weight, and reports the weight that the exchange has counted.
    expect(governor.acquired).toEqual(Array.from({ length: requests }, () => 4));
    expect(governor.observed).toHaveLength(requests);
    expect(governor.pauses[0]?.reason).toBe(reason);
    if (reason === 'banned' || reason === 'rate_limited') {
      expect((governor.pauses[0]?.untilMs ?? 0) - startedAtMs).toBeGreaterThanOrEqual(60_000);
      expect((governor.pauses[0]?.untilMs ?? 0) - startedAtMs).toBeLessThan(63_000);
    }
    expect(sent.map((info) => [info.status, info.code, info.retry])).toEqual(
      Array.from({ length: requests }, (_, index) => [status, code, index > 0]),
    );
  });

  it('that does not last is retried: waits grow with full jitter, each attempt acquires weight again', async () => {
    const { source, governor, clock } = await bench((response, index) =>
      index < 2 ? json(response, '', 500) : json(response, PAGE),
    );
    expect(await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER)).toHaveLength(3);
    expect(governor.acquired).toEqual([4, 4, 4]);
    expect(clock.sleptMs).toHaveLength(2);
    expect(clock.sleptMs[0]).toBeLessThan(500);
    expect(clock.sleptMs[1]).toBeLessThan(1000);
  });

  it('by the rate limit is retried through the governor, without another wait', async () => {
    const { source, governor, clock } = await bench((response, index) =>
      index === 0 ? json(response, '', 429) : json(response, PAGE),
    );
    expect(await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER)).toHaveLength(3);
    expect(governor.acquired).toEqual([4, 4]);
    expect(clock.sleptMs).toEqual([]);
  });
});

describe('a bad body', () => {
  const cases: Record<string, readonly [Respond, string]> = {
    'HTML with 200': [
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hi</html>'),
      'EXCHANGE_BAD_BODY',
    ],
    'cut JSON': [(response) => json(response, PAGE.slice(0, -20)), 'EXCHANGE_BAD_BODY'],
    'an empty body': [(response) => json(response, ''), 'EXCHANGE_BAD_BODY'],
    null: [(response) => json(response, 'null'), 'EXCHANGE_BAD_BODY'],
    'a wrong field': [
      (response) => json(response, PAGE.replace('"42283.58000000"', '42283.58')),
      'EXCHANGE_BAD_BODY',
    ],
    'a page from before the requested id': [
      (response) =>
        json(
          response,
          pageJson(99, 3, () => 1704103200000),
        ),
      'EXCHANGE_BAD_PAGE',
    ],
    'a page that runs backwards': [
      (response) => json(response, PAGE.replace('"a":102', '"a":100')),
      'EXCHANGE_BAD_PAGE',
    ],
    'a Content-Length too long': [
      (response) => {
        response.writeHead(200, { 'content-length': String(PAGE.length + 10) });
        response.write(PAGE, () => response.socket?.destroySoon());
      },
      'EXCHANGE_UNREACHABLE',
    ],
    'cut gzip': [
      (response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(PAGE).subarray(0, 60)),
      'EXCHANGE_UNREACHABLE',
    ],
    'a reset before headers': [
      (response) => response.socket?.resetAndDestroy(),
      'EXCHANGE_UNREACHABLE',
    ],
    'a reset in the body': [
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('[', () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
      },
      'EXCHANGE_UNREACHABLE',
    ],
  };

  it.each(Object.entries(cases))(
    '%s fails with its error code, and succeeds on retry when it happens only once',
    async (_, [respond, code]) => {
      const lasting = await bench((response) => respond(response, 0));
      const error = await errorOf(lasting.source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER));
      expect(error.code).toBe(code);
      expect(error.message).toContain('GET /api/v3/aggTrades?symbol=BTCUSDT&fromId=100');
      expect(lasting.server.requests).toHaveLength(3);
      const passing = await bench((response, index) =>
        index === 0 ? respond(response, 0) : json(response, PAGE),
      );
      expect(await passing.source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER)).toHaveLength(3);
    },
  );

  it('of klines is requested again in the same way', async () => {
    const range = { startMs: 1704103200000, endMs: 1704103320000 };
    const { source, sent } = await bench((response, index) =>
      json(
        response,
        index === 0 ? '{}' : klinesJson(range.startMs + (index === 1 ? 60_000 : 0), 2),
      ),
    );
    expect(await source.minuteKlines(SERIES, range, NEVER)).toHaveLength(2);
    expect(sent.map((info) => [info.code, info.rows])).toEqual([
      ['EXCHANGE_BAD_BODY', 0],
      ['EXCHANGE_BAD_PAGE', 0],
      [undefined, 2],
    ]);
  });

  it('of HTML is quoted up to 120 bytes', async () => {
    const { source } = await bench((response) =>
      response.writeHead(200).end(`<html>${'x'.repeat(500)}`),
    );
    const error = await errorOf(source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER));
    expect(error.message).toContain('HTTP 200 with 506 bytes');
    expect(error.message).toContain('"<html>xxx');
    expect(error.message.length).toBeLessThan(350);
  });

  it('is distinguished from a refused connection, which is EXCHANGE_UNREACHABLE', async () => {
    const { source, server } = await bench((response) => json(response, PAGE));
    await server.close();
    expect((await errorOf(source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER))).code).toBe(
      'EXCHANGE_UNREACHABLE',
    );
  });
});

describe('an exchange that is too slow', () => {
  const cases: Record<string, readonly [Respond, string]> = {
    'to begin its reply': [() => undefined, 'Headers Timeout'],
    'to go on with its reply': [
      (response) => response.writeHead(200, { 'content-length': '1000' }).flushHeaders(),
      'Body Timeout',
    ],
    'to complete its reply': [
      (response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      },
      'no complete answer in 2500 ms',
    ],
  };

  it.each(Object.entries(cases))(
    '%s: the request is aborted, and sent again',
    async (_, [respond, message]) => {
      const options = { timeouts: { headersMs: 300, bodyIdleMs: 300, totalMs: 2_500 }, retries: 1 };
      const { source, sent } = await bench(
        (response, index) => (index === 0 ? respond(response, 0) : json(response, PAGE)),
        options,
      );
      expect(await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER)).toHaveLength(3);
      expect(sent.map((info) => info.code)).toEqual(['EXCHANGE_UNREACHABLE', undefined]);
      const impatient = await bench((response) => respond(response, 0), { ...options, retries: 0 });
      const error = await errorOf(
        impatient.source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER),
      );
      expect([error.code, error.message]).toEqual([
        'EXCHANGE_UNREACHABLE',
        expect.stringContaining(message),
      ]);
    },
  );
});

describe('the end of a request', () => {
  it('comes at once on an abort, with the caller’s reason', async () => {
    const { source, server } = await bench(() => undefined);
    const stop = new AbortController();
    const asked = source.page(SERIES, { fromId: 100, unit: 'ms' }, stop.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    stop.abort(new Error('drained'));
    await expect(asked).rejects.toThrow('drained');
    expect(server.requests).toHaveLength(1);
  });

  it('leaves no timer running', async () => {
    const { source } = await bench((response) => json(response, PAGE));
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER);
    const before = timers();
    for (let request = 0; request < 10; request += 1)
      await source.page(SERIES, { fromId: 100, unit: 'ms' }, NEVER);
    // The few keep-alive timers of the connection pool may come and go.
    expect(timers()).toBeLessThan(before + 5);
  });

  it('comes before anything is sent when the signal is aborted already', async () => {
    const { source, server } = await bench((response) => json(response, PAGE));
    await expect(
      source.page(SERIES, { fromId: 100, unit: 'ms' }, AbortSignal.abort(new Error('drained'))),
    ).rejects.toThrow('drained');
    expect(server.requests).toHaveLength(0);
  });
});

describe('the exchange’s information about itself', () => {
  const info =
    '{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],"symbols":[{"symbol":"BTCUSDT","status":"BREAK"}]}';

  it('lists symbols in any status, but no invalid and no malformed ones', async () => {
    const replies = [
      info,
      '{"code":-1121,"msg":"Invalid symbol."}',
      '{"code":-1100,"msg":"Illegal characters"}',
    ];
    const { source, governor } = await bench((response, index) =>
      json(response, replies[index] ?? '', index === 0 ? 200 : 400),
    );
    expect(await source.isListed(SERIES, NEVER)).toBe(true);
    expect(await source.isListed(SERIES, NEVER)).toBe(false);
    expect(await source.isListed({ ...SERIES, symbol: "BTC'; --" }, NEVER)).toBe(false);
    expect(governor.acquired).toEqual([20, 20, 20]);
  });

  it('has whether a symbol trades, requested at most once a minute for all callers', async () => {
    const { source, server, clock } = await bench((response, index) =>
      json(response, index === 0 ? info : info.replace('BREAK', 'TRADING')),
    );
    let nowMs = 1_000_000;
    clock.nowMs = () => nowMs;
    const askTwice = () => Promise.all([1, 2].map(() => source.isTrading(SERIES, NEVER)));
    expect(await askTwice()).toEqual([false, false]);
    nowMs += 59_999;
    expect(await askTwice()).toEqual([false, false]);
    nowMs += 1;
    expect(await askTwice()).toEqual([true, true]);
    expect(server.requests).toHaveLength(2);
  });

  it('is requested again when the first caller got an error', async () => {
    const { source } = await bench((response, index) =>
      json(response, info.replace('BREAK', 'TRADING'), index === 0 ? 403 : 200),
    );
    const [first, second] = [source.isTrading(SERIES, NEVER), source.isTrading(SERIES, NEVER)];
    expect((await errorOf(first)).code).toBe('EXCHANGE_BLOCKED');
    expect(await second).toBe(true);
  });

  it('has the limits, requested without a grant, and with a small reply if possible', async () => {
    const { source, server, governor } = await bench((response, index) =>
      index === 1
        ? json(response, '{"code":-1121,"msg":"Invalid symbol."}', 400)
        : json(response, info),
    );
    expect(await source.exchangeLimits('binance_spot', NEVER)).toEqual({
      weightLimit: 6000,
      windowMs: 60_000,
      weight: 20,
    });
    expect(await source.exchangeLimits('binance_spot', NEVER)).toEqual({
      weightLimit: 6000,
      windowMs: 60_000,
      weight: 40,
    });
    expect(server.requests.map((request) => request.url)).toEqual([
      '/api/v3/exchangeInfo?symbol=BTCUSDT',
      '/api/v3/exchangeInfo?symbol=BTCUSDT',
      '/api/v3/exchangeInfo',
    ]);
    expect(governor.acquired).toEqual([]);
  });

  it('has the difference of its clock from ours', async () => {
    const { source } = await bench((response) =>
      json(response, `{"serverTime":${Date.now() + 5_000}}`),
    );
    const reading = await source.exchangeClock('binance_spot', NEVER);
    expect(Math.abs(reading.offsetMs - 5_000)).toBeLessThan(reading.uncertaintyMs + 5);
  });

  it('is not requested again while the governor waits for it', async () => {
    const { source, server } = await bench((response) => json(response, '', 500));
    expect((await errorOf(source.exchangeClock('binance_spot', NEVER))).code).toBe(
      'EXCHANGE_UNAVAILABLE',
    );
    expect(server.requests).toHaveLength(1);
  });
});
