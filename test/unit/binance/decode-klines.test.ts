import { describe, expect, it } from 'vitest';
import { decodeKlines } from '../../../src/adapters/binance/decode-klines.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';
import { klinesJson } from './fakes.ts';

const REQUEST = 'GET /api/v3/klines?symbol=BTCUSDT';
const START_MS = Date.UTC(2024, 0, 1, 10);
const RANGE = { startMs: START_MS, endMs: START_MS + 3 * 60_000 };

type Row = unknown[];

function rows(count: number, change: (row: Row, index: number) => void = () => undefined): Row[] {
  const list = JSON.parse(klinesJson(START_MS, count)) as Row[];
  for (const [index, row] of list.entries()) change(row, index);
  return list;
}

function codeOf(body: unknown): string {
  try {
    decodeKlines(body, RANGE, REQUEST);
  } catch (error) {
    if (error instanceof CdvaultError) return error.code;
    throw error;
  }
  return 'none';
}

/** Sets one field of the first row. */
function withField(field: number, value: unknown): Row[] {
  return rows(1, (row) => {
    row[field] = value;
  });
}

describe('decodeKlines', () => {
  it('names every field and leaves its digits unchanged', () => {
    expect(decodeKlines(rows(1), RANGE, REQUEST)).toEqual([
      {
        openMs: START_MS,
        open: '42283.58000000',
        high: '42290.00000000',
        low: '42280.10000000',
        close: '42285.00000000',
        volume: '12.50000000',
        quoteVolume: '528562.12345678',
        trades: 97,
        takerBuyVolume: '7.25000000',
        takerBuyQuoteVolume: '306562.00000001',
      },
    ]);
  });

  it('accepts a reply without some minutes, or without any', () => {
    const opens = (body: unknown) => decodeKlines(body, RANGE, REQUEST).map(({ openMs }) => openMs);
    expect(opens([])).toEqual([]);
    expect(opens(rows(3).filter((_, index) => index !== 1))).toEqual([
      START_MS,
      START_MS + 2 * 60_000,
    ]);
  });

  it.each([
    ['an object', { code: 0 }],
    ['a row that is no list', [{ openTime: START_MS }]],
    ['a row of ten fields', rows(1).map((row) => row.slice(0, 10))],
    ['a price that is a number', withField(1, 42283.58)],
    ['a volume with an exponent', withField(5, '1e3')],
    ['a volume with a sign', withField(9, '-1.0')],
    ['a trade count that is text', withField(8, '97')],
    ['a trade count below zero', withField(8, -1)],
    ['a time between two minutes', withField(0, START_MS + 1)],
    ['an end in microseconds', withField(6, (START_MS + 60_000) * 1000 - 1)],
    ['a kline of five minutes', withField(6, START_MS + 5 * 60_000 - 1)],
  ])('refuses %s', (_, body) => {
    expect(codeOf(body)).toBe('EXCHANGE_BAD_BODY');
  });

  it.each([
    ['repeats', [...rows(1), ...rows(1)]],
    ['runs backwards', rows(2).toReversed()],
    ['lies after the range', rows(4)],
    ['lies before the range', JSON.parse(klinesJson(START_MS - 60_000, 1))],
  ])('refuses a minute that %s', (_, body) => {
    expect(codeOf(body)).toBe('EXCHANGE_BAD_PAGE');
  });

  it('names the request', () => {
    expect(() => decodeKlines(rows(4), RANGE, REQUEST)).toThrow(/^GET \/api\/v3\/klines/);
  });
});
