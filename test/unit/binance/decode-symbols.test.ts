import { expect, test } from 'vitest';
import { decodeSymbols } from '../../../src/adapters/binance/decode-exchange-info.ts';

const decode = (contractSize: number) =>
  decodeSymbols(
    { symbols: [{ symbol: 'BTCUSD_PERP', contractStatus: 'TRADING', contractSize }] },
    'contractStatus',
    'GET /x',
  );

test.each([100, 10, 0.5, 0.000001])('a contract size is kept as decimal text: %d', (size) => {
  expect(decode(size).get('BTCUSD_PERP')?.contractSize).toBe(String(size));
});

test.each([1e-7, 1e21, 1e300, 0.123456789])(
  'a contract size that the store cannot hold: %d',
  (size) => {
    expect(() => decode(size)).toThrow(
      expect.objectContaining({
        code: 'EXCHANGE_BAD_BODY',
        message: `GET /x: BTCUSD_PERP has a contractSize of ${size}`,
      }) as Error,
    );
  },
);
