import { describe, expect, it } from 'vitest';
import { parseSymbol, parseSymbols } from '../../../src/domain/symbols.ts';

describe('symbols', () => {
  it.each([
    ['BTCUSDT', 'BTCUSDT'],
    ['btcusdt', 'BTCUSDT'],
    ['BTC/USDT', 'BTCUSDT'],
    ['btc-usdt', 'BTCUSDT'],
    [' ethbtc ', 'ETHBTC'],
    ['1000satsusdt', '1000SATSUSDT'],
    ['btcusd_perp', 'BTCUSD_PERP'],
    ['BTCUSDT_240329', 'BTCUSDT_240329'],
    ['这是测试币456', '这是测试币456'],
    ['币安人生/usdt', '币安人生USDT'],
    ['straßeusdt', 'STRAßEUSDT'],
  ])('%s is %s', (text, symbol) => {
    expect(parseSymbol(text)).toBe(symbol);
  });

  it.each([
    '',
    ' ',
    '/',
    'BTC/',
    '/USDT',
    'BTC//USDT',
    'BTC/USDT:USDT',
    'BTC USDT',
    'BTC;drop',
    "B'",
    '--from',
    '...',
    'A'.repeat(31),
  ])('%j is refused', (text) => {
    expect(() => parseSymbol(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', exitCode: 2 }),
    );
  });

  it('are each used once, and at least one is required', () => {
    expect(parseSymbols(['btcusdt', 'ETHUSDT', 'BTC/USDT'])).toEqual(['BTCUSDT', 'ETHUSDT']);
    expect(() => parseSymbols([])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
