import { expect, test } from 'vitest';
import { ruleOf, type RuleOptions } from '../../../src/cli/input/rule-options.ts';

const of = (options: Partial<RuleOptions>, symbols: readonly string[] = []) =>
  ruleOf(symbols, { market: 'spot', ...options });

test('--all with --quote is a rule, and named symbols are none', () => {
  expect(of({}, ['BTCUSDT'])).toBeUndefined();
  const rule = { market: 'binance_um', quote: 'USDT', top: 100 };
  expect(of({ all: true, market: 'um', quote: 'usdt', top: '100' })).toEqual(rule);
  expect(of({ all: true, quote: 'USDT' })).toMatchObject({
    market: 'binance_spot',
    top: undefined,
  });
});

test.each([
  [of.bind(undefined, { all: true, quote: 'USDT' }, ['BTCUSDT']), '--all takes no symbols'],
  [of.bind(undefined, { all: true }), '--all needs --quote'],
  [of.bind(undefined, { top: '5' }, ['BTCUSDT']), '--quote and --top need --all'],
  [of.bind(undefined, { all: true, quote: 'USDT', top: '0' }), '--top 0 is not a number'],
  [of.bind(undefined, { all: true, quote: 'USDT', top: '1e2' }), '--top 1e2 is not a number'],
  [
    of.bind(undefined, { all: true, quote: 'USD', top: '5', market: 'cm' }),
    '--top is not possible on COIN-M',
  ],
])('a rule that can’t be meant is refused, %#', (ask, message) => {
  expect(ask).toThrow(message);
});
