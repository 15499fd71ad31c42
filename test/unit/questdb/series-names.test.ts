import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tradesTableName, tradesViewName } from '../../../src/adapters/questdb/series-names.ts';
import { MARKETS, type Series } from '../../../src/domain/market.ts';

const spot = (symbol: string): Series => ({ market: 'binance_spot', symbol });

describe('the names of a series’ table and view', () => {
  it.each([
    [spot('BTCUSDT'), 'agg_trades_spot_btcusdt_1', 'trades_spot_btcusdt'],
    [
      { market: 'binance_cm', symbol: 'BTCUSD_PERP' } as const,
      'agg_trades_cm_btcusd_perp_1',
      'trades_cm_btcusd_perp',
    ],
    [spot('币USDT'), 'agg_trades_spotx_e5b88155534454_1', 'trades_spotx_e5b88155534454'],
    [spot('btcusdt'), 'agg_trades_spotx_62746375736474_1', 'trades_spotx_62746375736474'],
  ])('%o: %s, %s', (series, table, view) => {
    expect(tradesTableName(series, 1)).toBe(table);
    expect(tradesViewName(series)).toBe(view);
  });

  it('have a number, so that the name of a dropped table is not used again', () => {
    expect(tradesTableName(spot('BTCUSDT'), 2)).toBe('agg_trades_spot_btcusdt_2');
  });

  it('differ for different series and generations, also where case is ignored, and fit the server', () => {
    const symbol = fc.oneof(
      fc.stringMatching(/^[A-Z0-9_]{1,30}$/),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      fc.constantFrom('A_1', 'A', 'a', 'A_', '币', 'x_41', 'X_41', 'ſ', 'S', 'İ', 'i'),
    );
    const one = fc.record({
      market: fc.constantFrom(...MARKETS),
      symbol,
      generation: fc.integer({ min: 1, max: 30 }),
    });
    const all = fc.uniqueArray(one, {
      selector: (each) => JSON.stringify(each),
      minLength: 2,
      maxLength: 10,
    });
    fc.assert(
      fc.property(all, (several) => {
        const names = several.map((each) => tradesTableName(each, each.generation));
        expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
        const series = new Set(several.map(({ market, symbol: text }) => `${market} ${text}`));
        expect(new Set(several.map((each) => tradesViewName(each).toLowerCase())).size).toBe(
          series.size,
        );
        for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,127}$/);
      }),
    );
  });
});
