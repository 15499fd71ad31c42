import { describe, expect, it } from 'vitest';
import {
  assertNotBefore,
  assertStartsFrom,
  decodePage,
} from '../../../src/adapters/binance/decode-page.ts';
import { canonicalLine } from '../../../src/domain/trade/agg-trade.ts';
import { CdvaultError } from '../../../src/domain/errors.ts';

const REQUEST = 'GET /api/v3/aggTrades?symbol=BTCUSDT';
const GOOD = {
  a: 7,
  p: '42283.58000000',
  q: '0.00171000',
  f: 70,
  l: 71,
  T: 1704103200000,
  m: true,
  M: true,
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CdvaultError) return error.code;
    throw error;
  }
  return 'none';
}

describe('decodePage', () => {
  it('accepts futures rows: q and not nq, no M, decimals of any length, the same hash with or without trailing zeros', () => {
    const { M: _, ...row } = { ...GOOD, p: '42283.58', q: '5', nq: '3.5' };
    const [trade] = decodePage([row], 'ms', REQUEST);
    expect(trade).toMatchObject({ price: '42283.58', qty: '5' });
    const padded = decodePage([{ ...row, p: '42283.58000000', q: '5.0' }], 'ms', REQUEST);
    expect([trade].map((each) => each && canonicalLine(each))).toEqual(padded.map(canonicalLine));
  });

  it('passes the exchange’s decimal texts through unchanged, whatever their value', () => {
    const [trade] = decodePage(
      [{ ...GOOD, p: '0.00000001', q: '12345678901234567890.10000000' }],
      'ms',
      REQUEST,
    );
    expect(trade).toEqual({
      aggId: 7,
      price: '0.00000001',
      qty: '12345678901234567890.10000000',
      firstId: 70,
      lastId: 71,
      timeUs: 1704103200000000,
      isBuyerMaker: true,
    });
  });

  it('keeps microseconds as they are', () => {
    const [trade] = decodePage([{ ...GOOD, T: 1735689600000123 }], 'us', REQUEST);
    expect(trade?.timeUs).toBe(1735689600000123);
  });

  it('keeps a row that the exchange marked invalid: its id counts', () => {
    const [trade] = decodePage([{ ...GOOD, p: '0', q: '0', f: -1, l: -1 }], 'ms', REQUEST);
    expect(trade).toMatchObject({ price: '0', qty: '0', firstId: -1, lastId: -1 });
  });

  it('gives no rows for an empty page', () => {
    expect(decodePage([], 'ms', REQUEST)).toEqual([]);
  });

  it.each([
    ['a page that is an object', { data: [GOOD] }],
    ['a page that is null', null],
    ['a row that is null', [null]],
    ['a row that is a list', [[7, '1', '1', 1, 1, 1704103200000, true]]],
    ['a price that is a number', [{ ...GOOD, p: 42283.58 }]],
    ['a price with an exponent', [{ ...GOOD, p: '4.2e4' }]],
    ['a price with a sign', [{ ...GOOD, p: '-1.0' }]],
    ['an empty price', [{ ...GOOD, p: '' }]],
    ['a price with a bare dot', [{ ...GOOD, p: '1.' }]],
    ['a price with a line break', [{ ...GOOD, p: '1.0\n' }]],
    ['a quantity of nine places', [{ ...GOOD, q: '0.000000001' }]],
    ['a quantity that is null', [{ ...GOOD, q: null }]],
    ['an id that is text', [{ ...GOOD, a: '7' }]],
    ['an id above 2^53', [{ ...GOOD, a: 2 ** 53 }]],
    ['an id that is negative', [{ ...GOOD, a: -1 }]],
    ['an id that is fractional', [{ ...GOOD, a: 7.5 }]],
    ['a missing first id', [{ ...GOOD, f: undefined }]],
    ['a last id that is text', [{ ...GOOD, l: '71' }]],
    ['a missing time', [{ ...GOOD, T: undefined }]],
    ['a time of zero', [{ ...GOOD, T: 0 }]],
    ['a side that is a number', [{ ...GOOD, m: 1 }]],
    ['microseconds where milliseconds were asked for', [{ ...GOOD, T: 1735689600000123 }]],
  ])('refuses %s', (_, body) => {
    expect(codeOf(() => decodePage(body, 'ms', REQUEST))).toBe('EXCHANGE_BAD_BODY');
  });

  it('refuses milliseconds where microseconds were asked for', () => {
    expect(codeOf(() => decodePage([GOOD], 'us', REQUEST))).toBe('EXCHANGE_BAD_BODY');
  });

  it('refuses descending ids', () => {
    const body = [GOOD, { ...GOOD, a: 6 }];
    expect(codeOf(() => decodePage(body, 'ms', REQUEST))).toBe('EXCHANGE_BAD_PAGE');
  });

  it('leaves a repeated id to the caller', () => {
    const body = [GOOD, { ...GOOD, q: '0.00200000' }, { ...GOOD, a: 8 }];
    expect(decodePage(body, 'ms', REQUEST).map(({ aggId, qty }) => [aggId, qty])).toEqual([
      [7, GOOD.q],
      [7, '0.00200000'],
      [8, GOOD.q],
    ]);
  });

  it('leaves missing ids to the caller', () => {
    expect(
      decodePage([GOOD, { ...GOOD, a: 9 }], 'ms', REQUEST).map((trade) => trade.aggId),
    ).toEqual([7, 9]);
  });

  it('quotes a row without what is nested in it, however deep that is', () => {
    const depth = 50_000;
    const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    expect(() => decodePage([{ ...GOOD, q: deep }], 'ms', REQUEST)).toThrow(/row 0.*"q":…/);
    expect(codeOf(() => decodePage([deep], 'ms', REQUEST))).toBe('EXCHANGE_BAD_BODY');
  });

  it('names the request and quotes the row', () => {
    expect(() => decodePage([{ ...GOOD, p: 'x' }], 'ms', REQUEST)).toThrow(
      /^GET \/api\/v3\/aggTrades.*row 0.*"p":"x"/,
    );
  });
});

describe('the start of a page', () => {
  const trades = decodePage([GOOD], 'ms', REQUEST);

  it('may be after the requested id (the caller records what is missing), but not before it', () => {
    expect(codeOf(() => assertStartsFrom(trades, 6, REQUEST))).toBe('none');
    expect(codeOf(() => assertStartsFrom(trades, 7, REQUEST))).toBe('none');
    expect(codeOf(() => assertStartsFrom(trades, 8, REQUEST))).toBe('EXCHANGE_BAD_PAGE');
    expect(codeOf(() => assertStartsFrom([], 8, REQUEST))).toBe('none');
  });

  it('may not be before the requested time', () => {
    expect(codeOf(() => assertNotBefore(trades[0], 1704103200000, REQUEST))).toBe('none');
    expect(codeOf(() => assertNotBefore(trades[0], 1704103200001, REQUEST))).toBe(
      'EXCHANGE_BAD_PAGE',
    );
    expect(codeOf(() => assertNotBefore(undefined, 1704103200001, REQUEST))).toBe('none');
  });
});
