import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createRestSource } from '../../src/adapters/binance/rest-source.ts';
import type { RequestInfo, RestSource } from '../../src/adapters/binance/rest-source.ts';
import { createRedis } from '../../src/adapters/redis/connection.ts';
import { createWeightGovernor } from '../../src/adapters/weight/weight-governor.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { CdvaultError } from '../../src/domain/errors.ts';
import type {
  ExchangeState,
  ExchangeStateStore,
  WeightGovernor,
} from '../../src/ports/weight-governor.ts';
import type { Series } from '../../src/domain/market.ts';
import { withExcludedFills } from '../exchange/excluded-fills.ts';
import { startExchange } from '../exchange/exchange.ts';
import type { Exchange, ExchangeOptions } from '../exchange/exchange.ts';
import { syntheticTrades } from '../exchange/synthetic-trades.ts';
import { sameHost, silentLog } from '../unit/binance/fakes.ts';

const FROM_MS = Date.UTC(2024, 0, 1, 10);
const FROM_MICROSECONDS_MS = Date.UTC(2025, 0, 1);
const HOUR_MS = 3_600_000;
const NEVER = new AbortController().signal;
const BTC = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;

const old = syntheticTrades({
  seed: 7,
  fromMs: FROM_MS,
  toMs: FROM_MS + 4 * HOUR_MS,
  tradesPerHour: 5_000,
  firstId: 1_000,
});
const recent = syntheticTrades({
  seed: 8,
  fromMs: FROM_MICROSECONDS_MS,
  toMs: FROM_MICROSECONDS_MS + HOUR_MS,
  tradesPerHour: 2_000,
});

const contracts = withExcludedFills(
  syntheticTrades({
    seed: 9,
    fromMs: FROM_MS,
    toMs: FROM_MS + 4 * HOUR_MS,
    tradesPerHour: 3_000,
    qtyDecimals: 0,
  }),
);
const FUTURES = [
  ['binance_um', 'um', withExcludedFills(old)],
  ['binance_cm', 'cm', contracts],
] as const;

interface Bench {
  readonly exchange: Exchange;
  readonly source: RestSource;
  readonly governor: WeightGovernor;
  readonly states: ExchangeStateStore;
  readonly keyPrefix: string;
  readonly sent: RequestInfo[];
}

let redis: Redis;
let benchCount = 0;
const closers: (() => Promise<void>)[] = [];

beforeAll(() => {
  redis = createRedis(inject('services').redisUrl, { log: silentLog });
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

afterAll(async () => {
  await redis.quit();
});

function memoryStates(): ExchangeStateStore {
  let saved: ExchangeState | undefined;
  return {
    load: async () => saved,
    save: async (_market, _egress, state) => {
      saved = state;
    },
  };
}

async function bench(options: Partial<ExchangeOptions> = {}): Promise<Bench> {
  benchCount += 1;
  const symbols = [
    { symbol: 'BTCUSDT', trades: old },
    { symbol: 'ETHUSDT', trades: recent },
  ];
  const exchange = await startExchange({ symbols, ...options });
  const keyPrefix = `rest-test-${process.pid}-${Date.now()}-${benchCount}`;
  const states = memoryStates();
  const made = connect(exchange, keyPrefix, states);
  closers.push(() => exchange.close());
  return { exchange, states, keyPrefix, ...made };
}

/** One worker: a source and its governor. */
function connect(
  exchange: Exchange,
  keyPrefix: string,
  states: ExchangeStateStore,
  share = 1,
): Pick<Bench, 'source' | 'governor' | 'sent'> {
  const sent: RequestInfo[] = [];
  const governor: WeightGovernor = createWeightGovernor({
    redis,
    keyPrefix,
    egress: 'home',
    baseUrls: sameHost(exchange.url),
    share,
    limits: (market, signal) => source.exchangeLimits(market, signal),
    exchangeClock: (market, signal) => source.exchangeClock(market, signal),
    states,
    clock: systemClock,
    log: silentLog,
  });
  const source: RestSource = createRestSource({
    baseUrls: sameHost(exchange.url),
    governor,
    clock: systemClock,
    log: silentLog,
    timeouts: { headersMs: 400, bodyIdleMs: 400 },
    retry: { firstMs: 20 },
    onRequest: (info) => sent.push(info),
  });
  closers.push(() => source.close());
  return { source, governor, sent };
}

/** Reads a range as a slice job does: the first trade by time, then page by page by id. */
async function readAll(
  source: RestSource,
  fromMs: number,
  endMs: number,
  series: Series = BTC,
): Promise<AggTrade[]> {
  const first = await source.firstAtOrAfter(series, fromMs, 'ms', NEVER);
  const all: AggTrade[] = [];
  for (let nextId = first?.aggId; nextId !== undefined;) {
    const page = await source.page(series, { fromId: nextId, unit: 'ms' }, NEVER);
    all.push(...page.filter((trade) => trade.timeUs < endMs * 1000));
    const last = page.at(-1);
    nextId = last === undefined || last.timeUs >= endMs * 1000 ? undefined : last.aggId + 1;
  }
  return all;
}

async function errorOf(promise: Promise<unknown>): Promise<CdvaultError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CdvaultError) return error;
  throw new Error(`expected a CdvaultError, got ${String(error)}`);
}

describe('against the exchange simulator', () => {
  it('reads every trade of a range once, in order, with the exchange’s own numbers', async () => {
    const { source, exchange } = await bench();
    const trades = await readAll(source, FROM_MS, FROM_MS + 2 * HOUR_MS);
    expect(trades.length).toBeGreaterThan(4_000);
    expect(trades.map((trade) => trade.aggId)).toEqual(
      Array.from({ length: trades.length }, (_, index) => 1_000 + index),
    );
    const paged = exchange.requests.entries.filter((entry) => entry.query['fromId'] !== undefined);
    expect(paged).toHaveLength(Math.ceil((trades.length + 1) / 1000));
    expect(exchange.requests.entries.filter((entry) => entry.status !== 200)).toEqual([]);
  });

  it('asks for microseconds and gets them', async () => {
    const { source } = await bench();
    const eth = { ...BTC, symbol: 'ETHUSDT' };
    const first = await source.firstAtOrAfter(eth, FROM_MICROSECONDS_MS, 'us', NEVER);
    const page = await source.page(eth, { fromId: first?.aggId ?? -1, unit: 'us' }, NEVER);
    expect(page[0]).toEqual(first);
    expect(page.some((trade) => trade.timeUs % 1000 !== 0)).toBe(true);
  });

  it('reads the exchange’s minute candles, whose taker volumes equal those of the trades', async () => {
    const { source, exchange } = await bench();
    const hour = { startMs: FROM_MS + HOUR_MS, endMs: FROM_MS + 2 * HOUR_MS };
    const klines = await source.minuteKlines(BTC, hour, NEVER);
    expect(klines.map(({ openMs }) => openMs)).toEqual(
      Array.from({ length: 60 }, (_, minute) => hour.startMs + minute * 60_000),
    );
    const trades = await readAll(source, hour.startMs, hour.endMs);
    const sum = (texts: readonly string[]) =>
      texts.reduce((total, text) => total + BigInt(text.replace('.', '')), 0n);
    expect(sum(klines.map(({ volume }) => volume))).toBe(sum(trades.map(({ qty }) => qty)));
    expect(sum(klines.map(({ takerBuyVolume }) => takerBuyVolume))).toBe(
      sum(trades.filter(({ isBuyerMaker }) => !isBuyerMaker).map(({ qty }) => qty)),
    );
    expect(klines.reduce((total, kline) => total + kline.trades, 0)).toBe(
      trades.reduce((total, { firstId, lastId }) => total + lastId - firstId + 1, 0),
    );
    const asked = exchange.requests.entries.filter(({ path }) => path === '/api/v3/klines');
    expect(asked.map(({ weight, status }) => [weight, status])).toEqual([[2, 200]]);
  });

  it('returns no candles where the symbol has none, and UNKNOWN_SYMBOL for a symbol that does not exist', async () => {
    const { source } = await bench();
    const before = { startMs: FROM_MS - HOUR_MS, endMs: FROM_MS };
    expect(await source.minuteKlines(BTC, before, NEVER)).toEqual([]);
    const unknown = { ...BTC, symbol: 'NOSUCH' };
    expect((await errorOf(source.minuteKlines(unknown, before, NEVER))).code).toBe(
      'UNKNOWN_SYMBOL',
    );
  });

  it.each(FUTURES)(
    'reads the same from %s, with its own weight, limits and clock',
    async (market, place, trades) => {
      const symbol = 'BTCUSD_PERP';
      const { source, exchange, governor } = await bench({
        symbols: [
          { symbol, trades: old },
          { market: place, symbol, trades },
        ],
        nowMs: () => FROM_MS + 4 * HOUR_MS,
      });
      const series = { market, symbol };
      const read = await readAll(source, FROM_MS, FROM_MS + 2 * HOUR_MS, series);
      const [from, to] = [0, 2].map((hour) =>
        trades.indexAtTime((FROM_MS + hour * HOUR_MS) * 1000),
      );
      expect(read.map(({ aggId }) => aggId)).toEqual(
        Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, index) => trades.at(index).a),
      );
      for (const [index, trade] of read.entries()) {
        const { f, l, m, timeUs, q, p } = trades.at(index);
        expect(trade).toMatchObject({ firstId: f, lastId: l, isBuyerMaker: m });
        expect(trade.timeUs).toBe(Math.floor(timeUs / 1000) * 1000);
        expect([Number(trade.qty), Number(trade.price)]).toEqual([Number(q), Number(p)]);
      }
      expect(exchange.requests.entries.filter(({ status }) => status !== 200)).toEqual([]);
      expect((await governor.state(market)).weightLimit).toBe(2400);
      expect(await source.exchangeLimits(market, NEVER)).toMatchObject({
        weightLimit: 2400,
        weight: 1,
      });
      expect(new Set(exchange.requests.tradeRequests().map(({ weight }) => weight))).toEqual(
        new Set([source.pageWeight(market)]),
      );
      const range = { startMs: FROM_MS, endMs: FROM_MS + HOUR_MS };
      expect(await source.minuteKlines(series, range, NEVER)).toHaveLength(60);
    },
  );

  it.each(FUTURES)(
    'knows what is listed on %s, and the size of a contract',
    async (market, place) => {
      const listed = { market: place, symbol: 'ETHUSD_PERP', trades: old, contractSize: 10 };
      const { source, exchange } = await bench({ symbols: [listed] });
      const series = { market, symbol: 'ETHUSD_PERP' };
      expect(await source.isTrading(series, NEVER)).toBe(true);
      expect(await source.contractSize(series, NEVER)).toBe(place === 'cm' ? '10' : undefined);
      expect(await source.isListed({ market, symbol: 'NOSUCH' }, NEVER)).toBe(false);
      exchange.setStatus('ETHUSD_PERP', 'SETTLING', place);
      expect(await source.isListed(series, NEVER)).toBe(true);
      const unknown = source.newest({ market, symbol: 'NOSUCH' }, NEVER);
      expect((await errorOf(unknown)).code).toBe('UNKNOWN_SYMBOL');
    },
  );

  it.each(FUTURES)(
    'fails with RETENTION beyond the history of %s, by time and by id',
    async (market, place, trades) => {
      const listed = { market: place, symbol: 'BTCUSD_PERP', trades };
      const { source } = await bench({
        symbols: [listed],
        nowMs: () => FROM_MS + 50 * HOUR_MS,
        futures: { beyondHistoryCode: -4242 },
      });
      const series = { market, symbol: 'BTCUSD_PERP' };
      const byTime = source.firstAtOrAfter(series, FROM_MS, 'ms', NEVER);
      expect((await errorOf(byTime)).code).toBe('RETENTION');
      const byId = source.page(series, { fromId: trades.firstId, unit: 'ms' }, NEVER);
      expect((await errorOf(byId)).code).toBe('RETENTION');
    },
  );

  it('knows what is listed', async () => {
    const { source, exchange } = await bench();
    exchange.setStatus('BTCUSDT', 'BREAK');
    expect(await source.isListed(BTC, NEVER)).toBe(true);
    expect(await source.isListed({ ...BTC, symbol: 'NOSUCH' }, NEVER)).toBe(false);
    expect(await source.isListed({ ...BTC, symbol: 'no such' }, NEVER)).toBe(false);
    expect(
      (await errorOf(source.page({ ...BTC, symbol: 'NOSUCH' }, { fromId: 1, unit: 'ms' }, NEVER)))
        .code,
    ).toBe('UNKNOWN_SYMBOL');
  });

  it('reads the same despite every passing fault', async () => {
    const { source, exchange, sent } = await bench();
    const truth = await readAll(source, FROM_MS, FROM_MS + HOUR_MS);
    const kinds = [
      'badGatewayHtml',
      'serviceUnavailable',
      'requestTimeout',
      'internalError',
      'serverBusy',
      'okHtml',
      'truncatedJson',
      'emptyBody',
      'badSchema',
      'wrongContentLength',
      'gzipCut',
      'stallAfterHeaders',
      'stallBeforeHeaders',
      'resetBeforeHeaders',
      'resetAfterHeaders',
      'repeatedPage',
    ] as const;
    for (const kind of kinds) {
      sent.length = 0;
      exchange.setFaults([{ name: kind, kind, when: { path: '/api/v3/aggTrades', request: 3 } }]);
      expect(await readAll(source, FROM_MS, FROM_MS + HOUR_MS), kind).toEqual(truth);
      expect(
        sent.filter((info) => info.retry),
        kind,
      ).toHaveLength(1);
    }
  });

  it('waits as long as a 429 asks for, and sends nothing meanwhile', async () => {
    const { source, exchange } = await bench();
    await source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER);
    exchange.setFaults([
      { name: 'limited', kind: 'limited', retryAfterSeconds: 2, when: { request: 1 } },
    ]);
    const startedAtMs = Date.now();
    await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        source.page(BTC, { fromId: 1_000 + index, unit: 'ms' }, NEVER),
      ),
    );
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(2_000);
    expect(exchange.requests.entries.filter((entry) => entry.violation !== undefined)).toEqual([]);
  });

  it('sends nothing during a ban, also after a restart with a wiped Redis, and resumes by itself', async () => {
    const { source, exchange, states } = await bench();
    await source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER);
    exchange.ban(3);
    const startedAtMs = Date.now();
    const error = await errorOf(source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER));
    expect(error.code).toBe('EXCHANGE_BANNED');
    expect((error.untilMs ?? 0) - startedAtMs).toBeLessThan(4_000);
    const restarted = connect(exchange, `rest-test-wiped-${process.pid}-${startedAtMs}`, states);
    await Promise.all([
      source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER),
      restarted.source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER),
    ]);
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(2_500);
    expect(exchange.requests.entries.filter((entry) => entry.status === 418)).toHaveLength(1);
    expect(exchange.requests.entries.filter((entry) => entry.violation !== undefined)).toEqual([]);
  });

  it.each([
    ['forbiddenHtml', 'EXCHANGE_BLOCKED'],
    ['restrictedLocation', 'EXCHANGE_RESTRICTED'],
  ] as const)('sends nothing after %s: every later request fails at once', async (kind, code) => {
    const { source, exchange } = await bench();
    await source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER);
    exchange.setFaults([{ name: kind, kind, when: { request: 1 } }]);
    const before = exchange.requests.entries.length;
    for (let asked = 0; asked < 3; asked += 1) {
      expect((await errorOf(source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER))).code).toBe(
        code,
      );
    }
    expect(exchange.requests.entries.length - before).toBe(1);
  });
});

describe('at the limit', () => {
  const weightWindow = { interval: 'SECOND', intervalNum: 2 } as const;

  /** Runs two readers on each source until the deadline. */
  async function press(sources: readonly RestSource[], forMs: number): Promise<void> {
    const stop = AbortSignal.timeout(forMs);
    await Promise.all(
      [...sources, ...sources].map(async (source) => {
        for (let id = 1_000; !stop.aborted; id += 1) {
          await source.page(BTC, { fromId: id, unit: 'ms' }, stop).catch((error: unknown) => {
            if (!stop.aborted) throw error;
          });
        }
      }),
    );
  }

  function usedByWindow(exchange: Exchange): number[] {
    const used = new Map<number, number>();
    for (const entry of exchange.requests.entries) {
      const window = Math.floor(entry.atMs / 2_000);
      used.set(window, (used.get(window) ?? 0) + entry.weight);
    }
    return [...used.values()];
  }

  it.each([0, 700, -1_300])(
    'two workers at share 1, with a clock that is off by %i ms, use every window and get no 429',
    async (skewMs) => {
      const { exchange, source, states, keyPrefix } = await bench({
        weightLimit: 200,
        weightWindow,
        nowMs: () => Date.now() + skewMs,
      });
      const other = connect(exchange, keyPrefix, states);
      await press([source, other.source], 11_000);
      expect(
        exchange.requests.entries.filter((entry) => entry.status !== 200 && entry.status !== 0),
      ).toEqual([]);
      // Requests sent before the clocks were compared may be counted in one window too many at the start.
      const whole = usedByWindow(exchange).slice(2, -1);
      expect(whole.length).toBeGreaterThanOrEqual(3);
      // How much of a two-second window is used depends on the machine, since nothing is sent near its
      // end; `make bench` measures it on whole minutes. This checks only that every window is used.
      const middle = whole.toSorted((left, right) => left - right)[Math.floor(whole.length / 2)];
      expect(middle).toBeGreaterThanOrEqual(100);
      expect(Math.max(...whole)).toBeLessThanOrEqual(200);
    },
  );

  it('leaves weight to another program on the same address', async () => {
    const { exchange, source, states, keyPrefix } = await bench({ weightLimit: 200, weightWindow });
    await source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER);
    const modest = connect(exchange, keyPrefix, states, 0.9);
    await modest.source.page(BTC, { fromId: 1_000, unit: 'ms' }, NEVER);
    await systemClock.sleep(2_010 - (Date.now() % 2_000), NEVER);
    exchange.addForeignWeight(150);
    await press([modest.source], 1_500);
    expect(exchange.requests.entries.filter((entry) => entry.status === 429)).toEqual([]);
    // 180 less 150, plus at most the one request in flight when the other program was first seen.
    const ours = usedByWindow(exchange).at(-1);
    expect(ours).toBeGreaterThanOrEqual(28);
    expect(ours).toBeLessThanOrEqual(34);
  });
});
