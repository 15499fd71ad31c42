import { request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { faultKinds, type FaultKind } from '../../exchange/fault-kinds.ts';
import type { Fault } from '../../exchange/faults.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { ask, plainTrades, runExchange } from './asking.ts';

const PAGE = '/api/v3/aggTrades?symbol=BTCUSDT&fromId=201&limit=100';

/** Kinds that never end by themselves: the test waits only briefly for them. */
const STALLING: ReadonlySet<FaultKind> = new Set([
  'slowDrip',
  'stallAfterHeaders',
  'stallBeforeHeaders',
]);

/** What the client received, however it ended. */
interface Wire {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
  /** `complete`, or how it broke */
  readonly end: string;
}

/** Sends a request without a client library, so that nothing is repaired, hidden or turned into an exception. */
function rawAsk(exchange: Exchange, path: string, timeoutMs: number): Promise<Wire> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let seen: Pick<Wire, 'status' | 'headers'> = { status: 0, headers: {} };
    const finish = (end: string): void => {
      resolve({ ...seen, body: Buffer.concat(chunks), end });
    };
    const request = httpRequest(exchange.url + path, { agent: false }, (response) => {
      seen = { status: response.statusCode ?? 0, headers: response.headers };
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      response.on('end', () => finish('complete'));
    });
    request.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    request.end();
    setTimeout(() => {
      finish('stalled');
      request.destroy();
    }, timeoutMs);
  });
}

async function withFault(
  fault: Omit<Fault, 'name' | 'when'> & { when?: Fault['when'] },
): Promise<{ exchange: Exchange; wire: Wire }> {
  const exchange = await runExchange({
    symbols: [{ symbol: 'BTCUSDT', trades: plainTrades(1000) }],
    faults: [{ name: 'the fault', when: {}, ...fault }],
  });
  return { exchange, wire: await rawAsk(exchange, PAGE, STALLING.has(fault.kind) ? 150 : 3000) };
}

const idsOf = (wire: Wire): number[] =>
  (JSON.parse(wire.body.toString()) as { a: number }[]).map((row) => row.a);
const codeOf = (wire: Wire): number => (JSON.parse(wire.body.toString()) as { code: number }).code;

/** One check of each kind; a kind without one is a compile error. */
const looks: Record<FaultKind, { fault?: Partial<Fault>; look: (wire: Wire) => void }> = {
  forbiddenHtml: { look: (wire) => expectHtml(wire, 403) },
  restrictedLocation: {
    look: (wire) => {
      expect([wire.status, codeOf(wire)]).toEqual([451, 0]);
      expect(wire.body.toString()).toContain('restricted location');
    },
  },
  badGatewayHtml: { look: (wire) => expectHtml(wire, 502) },
  serviceUnavailable: { look: (wire) => expectHtml(wire, 503) },
  requestTimeout: { look: (wire) => expectHtml(wire, 408) },
  internalError: { look: (wire) => expect([wire.status, codeOf(wire)]).toEqual([500, -1000]) },
  apiError: {
    fault: { status: 503, code: -1016, message: 'This service is no longer available.' },
    look: (wire) => expect([wire.status, codeOf(wire)]).toEqual([503, -1016]),
  },
  limited: {
    fault: { retryAfterSeconds: 7 },
    look: (wire) =>
      expect([wire.status, codeOf(wire), wire.headers['retry-after']]).toEqual([429, -1003, '7']),
  },
  banned: {
    fault: { retryAfterSeconds: 33 },
    look: (wire) =>
      expect([wire.status, codeOf(wire), wire.headers['retry-after']]).toEqual([418, -1003, '33']),
  },
  backendTimeout: {
    fault: { delayMs: 20 },
    look: (wire) => expect([wire.status, codeOf(wire)]).toEqual([408, -1007]),
  },
  serverBusy: { look: (wire) => expect([wire.status, codeOf(wire)]).toEqual([503, -1008]) },
  okHtml: { look: (wire) => expectHtml(wire, 200) },
  truncatedJson: {
    look: (wire) => {
      expect([wire.status, wire.end]).toEqual([200, 'complete']);
      expect(wire.headers['content-length']).toBe(String(wire.body.length));
      expect(() => idsOf(wire)).toThrow(SyntaxError);
    },
  },
  emptyBody: {
    look: (wire) => expect([wire.status, wire.body.length, wire.end]).toEqual([200, 0, 'complete']),
  },
  badSchema: {
    look: (wire) =>
      expect(JSON.parse(wire.body.toString())).toMatchObject(
        expect.objectContaining({ 0: expect.objectContaining({ p: 42_000.5 }) as unknown }),
      ),
  },
  slow: { fault: { delayMs: 40 }, look: (wire) => expect(idsOf(wire)[0]).toBe(201) },
  wrongContentLength: {
    look: (wire) => {
      expect(wire.end).toBe('ECONNRESET');
      expect(Number(wire.headers['content-length'])).toBe(wire.body.length + 10);
    },
  },
  gzipCut: {
    look: (wire) => {
      expect([wire.headers['content-encoding'], wire.end]).toEqual(['gzip', 'complete']);
      expect(() => gunzipSync(wire.body)).toThrow('unexpected end of file');
    },
  },
  slowDrip: {
    fault: { delayMs: 20 },
    look: (wire) => {
      expect(wire.end).toBe('stalled');
      expect(wire.body.length).toBeGreaterThan(1);
      expect(wire.body.length).toBeLessThan(20);
    },
  },
  stallAfterHeaders: {
    look: (wire) => expect([wire.status, wire.body.length, wire.end]).toEqual([200, 0, 'stalled']),
  },
  stallBeforeHeaders: { look: (wire) => expect([wire.status, wire.end]).toEqual([0, 'stalled']) },
  resetBeforeHeaders: {
    look: (wire) => expect([wire.status, wire.end]).toEqual([0, 'ECONNRESET']),
  },
  resetAfterHeaders: {
    look: (wire) => {
      expect([wire.status, wire.end]).toEqual([200, 'ECONNRESET']);
      expect(wire.body.length).toBeLessThan(Number(wire.headers['content-length']));
    },
  },
  skippedStart: {
    fault: { rows: 3 },
    look: (wire) => expect([idsOf(wire)[0], idsOf(wire).length]).toEqual([204, 100]),
  },
  repeatedPage: {
    look: (wire) => expect([idsOf(wire)[0], idsOf(wire).at(-1)]).toEqual([101, 200]),
  },
  shortPage: {
    fault: { rows: 4 },
    look: (wire) => expect(idsOf(wire)).toEqual([201, 202, 203, 204]),
  },
  held: {
    fault: { until: Promise.resolve() },
    look: (wire) => expect(wire.status).toBe(200),
  },
  reversedPage: {
    look: (wire) =>
      expect(idsOf(wire)).toEqual(idsOf(wire).toSorted((left, right) => right - left)),
  },
  emptyPage: { look: (wire) => expect([wire.status, wire.body.toString()]).toEqual([200, '[]']) },
};

function expectHtml(wire: Wire, status: number): void {
  expect(wire.status).toBe(status);
  expect(wire.headers['content-type']).toBe('text/html');
  expect(wire.body.toString()).toMatch(/^<html>/);
  expect(wire.headers['x-mbx-used-weight']).toBeUndefined();
}

describe('fault kinds', () => {
  it.each(Object.keys(faultKinds) as FaultKind[])(
    '%s shows on the wire and in the log',
    async (kind) => {
      const { fault, look } = looks[kind];
      const { exchange, wire } = await withFault({ kind, ...fault });
      look(wire);
      expect(exchange.requests.entries).toMatchObject([
        { fault: 'the fault', status: wire.status },
      ]);
    },
  );

  it.each([
    ['stringId', /"a":"201"/],
    ['missingTime', /"l":201,"m"/],
    ['nullQty', /"q":null/],
    ['badDecimal', /"p":"4.2e4"/],
    ['object', /^\{"data":\[/],
    ['nullBody', /^null$/],
  ] as const)('badSchema can be %s', async (variant, pattern) => {
    const { wire } = await withFault({ kind: 'badSchema', variant });
    expect(wire.body.toString()).toMatch(pattern);
  });

  it('429 can come without Retry-After', async () => {
    const { wire } = await withFault({ kind: 'limited', retryAfterSeconds: null });
    expect([wire.status, wire.headers['retry-after']]).toEqual([429, undefined]);
  });

  it('a ban by a fault refuses later calls too', async () => {
    const { exchange } = await withFault({ kind: 'banned', when: { request: 1 } });
    exchange.setFaults([]);
    expect((await ask(exchange, 'ping')).status).toBe(418);
  });
});

async function strikes(
  when: Fault['when'],
  calls: readonly string[],
  faultSeed = 1,
): Promise<number[]> {
  const exchange = await runExchange({
    symbols: [{ symbol: 'BTCUSDT', trades: plainTrades(1000) }],
    faults: [{ name: 'busy', kind: 'serverBusy', when }],
    faultSeed,
    enforceWeight: false,
  });
  const struck: number[] = [];
  for (const [index, call] of calls.entries())
    if ((await ask(exchange, call)).status === 503) struck.push(index + 1);
  return struck;
}
const page = (fromId: number): string => `aggTrades?symbol=BTCUSDT&limit=1&fromId=${fromId}`;

describe('when faults strike', () => {
  const eight = [1, 2, 3, 4, 5, 6, 7, 8].map(page);

  it.each<[string, Fault['when'], number[]]>([
    ['the n-th request', { request: 3 }, [3]],
    ['every n-th', { everyNth: 3 }, [3, 6]],
    ['at most so often', { times: 2 }, [1, 2]],
    ['ids in a range', { fromIdRange: [4, 6] }, [4, 5, 6]],
    ['the second in a range', { fromIdRange: [4, 6], request: 2 }, [5]],
    ['another path', { path: '/api/v3/klines' }, []],
    ['another symbol', { symbol: 'ETHUSDT' }, []],
    ['a time that is over', { clockMs: [0, 1] }, []],
    ['a time that is now', { clockMs: [0, Infinity], times: 1 }, [1]],
  ])('%s', async (_name, when, expected) => {
    expect(await strikes(when, eight)).toEqual(expected);
  });

  it('at random, but in the same way for the same seed', async () => {
    const calls = Array.from({ length: 60 }, (_, index) => page(index));
    const once = await strikes({ probability: 0.3 }, calls);
    expect(once.length).toBeGreaterThan(8);
    expect(once.length).toBeLessThan(30);
    expect(await strikes({ probability: 0.3 }, calls)).toEqual(once);
    expect(await strikes({ probability: 0.3 }, calls, 2)).not.toEqual(once);
  });
});
