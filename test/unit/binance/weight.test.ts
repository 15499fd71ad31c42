import { describe, expect, it } from 'vitest';
import {
  decodeLimits,
  decodeSymbols,
  usedWeight,
} from '../../../src/adapters/binance/decode-exchange-info.ts';
import { nextWindowInMs, sendSlot, windowBudget } from '../../../src/domain/plan/weight.ts';

const MINUTE = 60_000;
const GUARD = { startMs: 30, endMs: 500 };

describe('windows', () => {
  it('are aligned to the exchange’s minutes', () => {
    expect(sendSlot(10 * MINUTE + 30_000, MINUTE, GUARD)).toEqual({ window: 10, waitMs: 0 });
    expect(sendSlot(10 * MINUTE + 30, MINUTE, GUARD)).toEqual({ window: 10, waitMs: 0 });
    expect(sendSlot(11 * MINUTE - 501, MINUTE, GUARD)).toEqual({ window: 10, waitMs: 0 });
  });

  it('accept no request near their borders', () => {
    expect(sendSlot(10 * MINUTE, MINUTE, GUARD)).toEqual({ window: 10, waitMs: 30 });
    expect(sendSlot(11 * MINUTE - 500, MINUTE, GUARD)).toEqual({ window: 11, waitMs: 530 });
    expect(sendSlot(11 * MINUTE - 1, MINUTE, GUARD)).toEqual({ window: 11, waitMs: 31 });
  });

  it('are over when their weight is spent', () => {
    expect(nextWindowInMs(10 * MINUTE + 15_000, 10, MINUTE, GUARD)).toBe(45_030);
    expect(nextWindowInMs(12 * MINUTE, 10, MINUTE, GUARD)).toBe(0);
  });

  it('grant our share, rounded down', () => {
    expect(windowBudget(6000, 0.6)).toBe(3600);
    expect(windowBudget(6000, 1)).toBe(6000);
    expect(windowBudget(1199, 0.333)).toBe(399);
  });
});

describe('the used-weight header', () => {
  it.each([
    [{ 'x-mbx-used-weight': '7', 'x-mbx-used-weight-1m': '42' }, 42],
    [{ 'x-mbx-used-weight-2s': '8' }, 8],
    [
      { 'x-mbx-used-weight-1h': '900', 'x-mbx-used-weight-10s': '4', 'x-mbx-used-weight-1m': '42' },
      4,
    ],
    [{ 'x-mbx-used-weight-1m': 'many' }, undefined],
    [{ 'x-mbx-used-weight': '7' }, undefined],
    [{}, undefined],
  ])('of the shortest interval is read: %j', (headers, expected) => {
    expect(usedWeight(new Map(Object.entries(headers)))).toBe(expected);
  });
});

describe('exchangeInfo', () => {
  const limits = [
    { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300000 },
    { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6000 },
    { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
  ];

  it('gives the weight limit and its window', () => {
    expect(decodeLimits({ rateLimits: limits }, 'GET /x')).toEqual({
      weightLimit: 6000,
      windowMs: 60_000,
    });
    const seconds = [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'SECOND', intervalNum: 2, limit: 40 },
    ];
    expect(decodeLimits({ rateLimits: seconds }, 'GET /x')).toEqual({
      weightLimit: 40,
      windowMs: 2_000,
    });
  });

  it.each([[{}], [{ rateLimits: [] }], [{ rateLimits: limits.slice(0, 1) }], [[]], [null]])(
    '%j has no weight limit',
    (body) => {
      expect(() => decodeLimits(body, 'GET /x')).toThrow('GET /x: no REQUEST_WEIGHT');
    },
  );

  it('gives the status of listed symbols, and nothing for others', () => {
    const body = { symbols: [{ symbol: 'BTCUSDT', status: 'BREAK' }] };
    const list = decodeSymbols(body, 'status', 'GET /x');
    expect(list.get('BTCUSDT')).toEqual({ status: 'BREAK', contractSize: undefined });
    expect(list.get('ETHUSDT')).toBeUndefined();
    expect(() => decodeSymbols({}, 'status', 'GET /x')).toThrow('no symbols');
  });

  it('gives a COIN-M symbol’s status and the size of its contract', () => {
    const symbol = { symbol: 'BTCUSD_PERP', contractStatus: 'TRADING', contractSize: 100 };
    const list = decodeSymbols({ symbols: [symbol] }, 'contractStatus', 'GET /x');
    expect(list.get('BTCUSD_PERP')).toEqual({ status: 'TRADING', contractSize: '100' });
    expect(() => decodeSymbols({ symbols: [symbol] }, 'status', 'GET /x')).toThrow(
      'BTCUSD_PERP has no status',
    );
  });
});
