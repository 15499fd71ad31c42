import { expect, test } from 'vitest';
import { parsePayload } from '../../../src/adapters/bullmq/catalogue.ts';

const SLICE = { market: 'binance_spot', symbol: 'BTCUSDT', runId: 'run-1', hourMs: 3_600_000 };
const FEED = { ...SLICE, hourMs: undefined, startMs: 0, endMs: 3_600_000 };
const { hourMs: _, ...feed } = FEED;

const INVALID = expect.objectContaining({ code: 'JOB_INVALID' }) as Error;

test.each(['BTCUSDT', 'BTCUSD_PERP', 'BTCUSDT_240628', 'A-B.C', '币安人生USDT', '1000SATSUSDT'])(
  'a job may name the symbol %s',
  (symbol) => {
    expect(parsePayload('slice', { ...SLICE, symbol })).toMatchObject({ symbol });
  },
);

test.each([
  '',
  '..',
  '.',
  '../BTCUSDT',
  'A/B',
  'A B',
  "A'B",
  'A:B',
  'A\\B',
  'A\nB',
  'A'.repeat(101),
])('a job may not name the symbol %j, which is part of paths and URLs', (symbol) => {
  expect(() => parsePayload('slice', { ...SLICE, symbol })).toThrow(INVALID);
});

test('a job may name a folder as long as the system allows paths', () => {
  const source = (length: number) => `dir:/${'x'.repeat(length - 5)}`;
  expect(parsePayload('feed', { ...feed, source: source(4_096) })).toMatchObject({
    symbol: 'BTCUSDT',
  });
  expect(() => parsePayload('feed', { ...feed, source: source(4_097) })).toThrow(INVALID);
});
