/** Replies of the exchange's REST API: from the bytes of a body to rows, and refusals by status and code. */

import { answerOf } from '../../src/adapters/binance/patient-client.ts';
import {
  decodeLimits,
  decodeServerTime,
  decodeSymbols,
} from '../../src/adapters/binance/decode-exchange-info.ts';
import { decodeKlines } from '../../src/adapters/binance/decode-klines.ts';
import { decodePage } from '../../src/adapters/binance/decode-page.ts';
import { pauseOf } from '../../src/adapters/binance/refusals.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import type { ErrorCode } from '../../src/domain/error-catalogue.ts';
import { assert, assertSame, type Decoder } from './decoder.ts';
import { below, pick, type Random } from './mutations.ts';

const NOW_MS = Date.UTC(2024, 0, 1, 12);
const THREE_DAYS_MS = 3 * 86_400_000;

const BODY_CODES: readonly ErrorCode[] = [
  'EXCHANGE_BAD_BODY',
  'EXCHANGE_BAD_PAGE',
  'EXCHANGE_REFUSED',
  'EXCHANGE_UNAVAILABLE',
  'UNKNOWN_SYMBOL',
];

function bodyDecoder(
  name: string,
  samples: readonly unknown[],
  decode: (body: unknown, request: string) => unknown,
  expected: (body: unknown) => unknown,
): Decoder {
  return {
    name,
    samples: samples.map((sample) => Buffer.from(JSON.stringify(sample))),
    codes: BODY_CODES,
    decode: (body) =>
      answerOf(
        { path: '/x', query: '', decode },
        { status: 200, headers: new Map([['content-type', 'application/json']]), body },
        NOW_MS,
      ),
    check: (bytes, value) => assertSame(value, expected(JSON.parse(bytes.toString('utf8')))),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isWhole = (value: unknown, least: number): value is number =>
  typeof value === 'number' && value % 1 === 0 && value >= least && value < 2 ** 53;
const isText = (value: unknown, form: RegExp): value is string =>
  typeof value === 'string' && form.test(value);

/** One trade a row with rising ids, or undefined. */
function tradesIn(body: unknown, from: number, to: number, usInUnit: number): unknown {
  if (!Array.isArray(body)) return undefined;
  const rows = body.map((row: unknown): AggTrade | undefined => {
    if (!isFields(row)) return undefined;
    const { a, p, q, f, l, T: time, m } = row;
    const price = isText(p, /^[0-9]{1,20}([.][0-9]{1,8})?$/) ? p : undefined;
    const qty = isText(q, /^[0-9]{1,20}([.][0-9]{1,8})?$/) ? q : undefined;
    if (price === undefined || qty === undefined || (m !== true && m !== false)) return undefined;
    if (!isWhole(a, 0) || !isWhole(f, -(2 ** 53) + 1) || !isWhole(l, -(2 ** 53) + 1))
      return undefined;
    if (!isWhole(time, from) || time >= to) return undefined;
    const timeUs = time * usInUnit;
    return { aggId: a, price, qty, firstId: f, lastId: l, timeUs, isBuyerMaker: m };
  });
  const isRising = rows.every(
    (row, at) => at === 0 || Number(row?.aggId) >= Number(rows[at - 1]?.aggId),
  );
  return rows.includes(undefined) || !isRising ? undefined : rows;
}

function tradePage(count: number, timeOf: (at: number) => number): unknown[] {
  return Array.from({ length: count }, (_, at) => ({
    a: 5_933_014 + at,
    p: `${42_000 + at}.01000000`,
    q: `0.${String(at * 7_919).padStart(8, '0')}`,
    f: 100_000 + 2 * at,
    l: 100_001 + 2 * at,
    T: timeOf(at),
    m: at % 3 === 0,
    M: true,
  }));
}

const MARKED_INVALID = { a: 1, p: '0', q: '0', f: -1, l: -1, T: NOW_MS, m: false, M: true };
const FROM_MS = Date.UTC(2024, 0, 1);
const MINUTE_MS = 60_000;

function klineRow(openMs: number): unknown[] {
  const price = '42000.10000000';
  const sums = [
    '12.50000000',
    openMs + MINUTE_MS - 1,
    '525001.2500000000',
    17,
    '6.1',
    '256200.6',
    '0',
  ];
  return [openMs, price, price, price, price, ...sums];
}

const KLINE_RANGE = { startMs: FROM_MS, endMs: FROM_MS + 5 * MINUTE_MS };

function klinesIn(body: unknown): unknown {
  if (!Array.isArray(body)) return undefined;
  const isDecimal = (value: unknown) => isText(value, /^[0-9]{1,30}([.][0-9]{1,16})?$/);
  let nextMs = KLINE_RANGE.startMs;
  const found = body.map((row: unknown) => {
    if (!Array.isArray(row) || row.length < 11) return undefined;
    const [openMs, open, high, low, close, volume, lastMs, quoteVolume, trades, buy, buyQuote] =
      row as unknown[];
    if (![open, high, low, close, volume, quoteVolume, buy, buyQuote].every(isDecimal))
      return undefined;
    if (!isWhole(openMs, nextMs) || openMs % MINUTE_MS > 0 || lastMs !== openMs + 59_999)
      return undefined;
    if (!isWhole(trades, 0) || openMs >= KLINE_RANGE.endMs) return undefined;
    nextMs = openMs + MINUTE_MS;
    const takerBuyVolume = buy;
    const takerBuyQuoteVolume = buyQuote;
    return {
      openMs,
      open,
      high,
      low,
      close,
      volume,
      takerBuyVolume,
      quoteVolume,
      takerBuyQuoteVolume,
      trades,
    };
  });
  return found.includes(undefined) ? undefined : found;
}

const INFO = {
  timezone: 'UTC',
  serverTime: NOW_MS,
  rateLimits: [
    { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6_000 },
    { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
    { rateLimitType: 'RAW_REQUESTS', interval: 'DAY', intervalNum: 1, limit: 300_000 },
  ],
  symbols: [
    { symbol: 'BTCUSDT', status: 'TRADING', contractStatus: 'TRADING', contractSize: 100 },
    { symbol: 'ÜSDT', status: 'BREAK', contractStatus: 'SETTLING', contractSize: 0.5 },
  ],
};

const UNIT_MS: Fields = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 };

function limitsIn(body: unknown): unknown {
  const list = isFields(body) ? body['rateLimits'] : undefined;
  if (!Array.isArray(list)) return undefined;
  const limits: { weightLimit: number; windowMs: number }[] = [];
  for (const limit of list as unknown[]) {
    if (!isFields(limit) || typeof limit['rateLimitType'] !== 'string') return undefined;
    const { interval, intervalNum, limit: weightLimit } = limit;
    if (typeof interval !== 'string' || !Object.hasOwn(UNIT_MS, interval)) return undefined;
    if (!isWhole(intervalNum, 1) || !isWhole(weightLimit, 1)) return undefined;
    const windowMs = intervalNum * Number(UNIT_MS[interval]);
    if (limit['rateLimitType'] === 'REQUEST_WEIGHT') limits.push({ weightLimit, windowMs });
  }
  return limits.toSorted((one, other) => one.windowMs - other.windowMs)[0];
}

function symbolsIn(body: unknown): unknown {
  const list = isFields(body) ? body['symbols'] : undefined;
  if (!Array.isArray(list)) return undefined;
  const found = new Map<string, unknown>();
  for (const each of list as unknown[]) {
    if (!isFields(each)) return undefined;
    const { symbol, status, contractStatus, contractSize } = each;
    if (typeof symbol !== 'string' || typeof contractStatus !== 'string') return undefined;
    if (status !== undefined && typeof status !== 'string') return undefined;
    if (contractSize !== undefined && typeof contractSize !== 'number') return undefined;
    const size = contractSize === undefined ? undefined : String(contractSize);
    // As the store has it: DECIMAL(28, 8).
    if (size !== undefined && (!/^[0-9]{1,20}([.][0-9]{1,8})?$/.test(size) || Number(size) <= 0))
      return undefined;
    found.set(symbol, { status: contractStatus, contractSize: size });
  }
  return found;
}

const HEADERS = ['retry-after', 'x-mbx-used-weight-1m', 'content-type'];
const REFUSALS = [
  { code: -1003, msg: `banned until ${NOW_MS + 60_000}` },
  { code: -1121, msg: 'Invalid symbol.' },
  { code: -1127, msg: 'Lookup interval is too big.' },
];

interface Refused {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** A refusal with any status and headers. What it makes all programs on this address wait for must have an end. */
const refusals: Decoder = {
  name: 'refusals and their pauses',
  samples: REFUSALS.map((sample) => Buffer.from(JSON.stringify(sample))),
  codes: [],
  decode(body, random) {
    const status = pick(random, [200, 204, 301, 400, 403, 418, 429, 451, 500, 503, 999]);
    const headers = new Map(HEADERS.map((name) => [name, headerText(random)]));
    const pause = pauseOf({ status, headers, body }, NOW_MS, random());
    return { status, headers, pause } satisfies Refused & { pause: unknown };
  },
  check(_, { pause }: Refused & { readonly pause: { readonly untilMs: number } | undefined }) {
    if (pause === undefined) return;
    const waitMs = pause.untilMs - NOW_MS;
    assert(waitMs > 0 && waitMs <= THREE_DAYS_MS + 1_000, `a pause of ${waitMs} ms`);
  },
};

function headerText(random: Random): string {
  const numbers = ['0', '-1', '60', '1e3', '9'.repeat(1 + below(random, 400)), 'Infinity'];
  return pick(random, [...numbers, '', 'Mon, 01 Jan 2024 12:01:00 GMT', '+275760-09-13T00:00:00Z']);
}

export const restDecoders: readonly Decoder[] = [
  bodyDecoder(
    'aggTrades in ms',
    [tradePage(12, (at) => NOW_MS + at), [MARKED_INVALID], []],
    (body, request) => decodePage(body, 'ms', request),
    (body) => tradesIn(body, 1, 1e14, 1_000),
  ),
  bodyDecoder(
    'aggTrades in µs',
    [tradePage(12, (at) => (NOW_MS + at) * 1_000 + at)],
    (body, request) => decodePage(body, 'us', request),
    (body) => tradesIn(body, 1e14, 2 ** 53, 1),
  ),
  bodyDecoder(
    'klines',
    [[FROM_MS, FROM_MS + MINUTE_MS, FROM_MS + 4 * MINUTE_MS].map(klineRow), []],
    (body, request) => decodeKlines(body, KLINE_RANGE, request),
    klinesIn,
  ),
  bodyDecoder('exchangeInfo: limits', [INFO], decodeLimits, limitsIn),
  bodyDecoder(
    'exchangeInfo: symbols',
    [INFO],
    (body, request) => decodeSymbols(body, 'contractStatus', request),
    symbolsIn,
  ),
  bodyDecoder('time', [{ serverTime: NOW_MS }], decodeServerTime, (body) => {
    const time = isFields(body) ? body['serverTime'] : undefined;
    return isWhole(time, 1) ? time : undefined;
  }),
  refusals,
];
