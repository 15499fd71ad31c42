import { describe, expect, it } from 'vitest';
import { cdvBars } from '../../support/reference-bars.ts';
import { MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { DEFAULT_TIERS } from '../../../src/domain/bars/tier.ts';
import { tierOf, TierPass } from '../../support/reference-tiers.ts';
import { tradeOf } from '../../support/trades.ts';

const START = Date.UTC(2024, 0, 1);
const sized = (aggId: number, price: string, qty: string, atMs = START) =>
  tradeOf(aggId, atMs, { price, qty });

describe('the tier of a trade', () => {
  it.each([
    ['1.0', '9999.99999999', 0],
    ['1.0', '10000', 1],
    ['10000', '1', 1],
    // 9,999.999…, which as a double is 10,000.
    ['99999.99999999', '0.1', 0],
    ['100000', '1', 2],
    ['42000.5', '23.80924036', 2],
    ['42000.5', '23.80924038', 3],
    ['1000000', '1', 3],
    ['0.00000001', '90000000000000000', 3],
  ])('of %s × %s is that of the highest bound it reaches', (price, qty, tier) => {
    expect(tierOf(sized(1, price, qty), DEFAULT_TIERS, undefined)).toBe(tier);
  });

  it('of contracts depends on the contract size, whatever the price', () => {
    expect(tierOf(sized(1, '42000', '999'), DEFAULT_TIERS, { size: '10' })).toBe(0);
    expect(tierOf(sized(1, '0.5', '1000'), DEFAULT_TIERS, { size: '10' })).toBe(1);
  });

  it('of contracts of unknown size is unknown', () => {
    expect(tierOf(sized(1, '1', '1'), DEFAULT_TIERS, { size: undefined })).toBeUndefined();
  });
});

describe('minutes of each tier', () => {
  const trades = [
    sized(1, '100', '1', START),
    sized(2, '100', '200', START + 1),
    sized(3, '100', '2', START + 2 * MINUTE_MS),
  ];
  const minutes = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: [] })];
  const barsWith = (contract?: { size: undefined }) => {
    const pass = new TierPass(DEFAULT_TIERS, contract);
    for (const trade of trades) pass.accept(trade);
    return pass.finish(minutes);
  };

  it('exist for every bar, flat where the tier did not trade', () => {
    const [small = [], middle = [], large = []] = barsWith();
    expect(small.map(({ close, aggTrades }) => [close, aggTrades])).toEqual([
      [100_000_000n, 1],
      [300_000_000n, 1],
    ]);
    expect(middle.map(({ open, close, aggTrades }) => [open, close, aggTrades])).toEqual([
      [20_000_000_000n, 20_000_000_000n, 1],
      [20_000_000_000n, 20_000_000_000n, 0],
    ]);
    expect(large.map(({ close }) => close)).toEqual([0n, 0n]);
  });

  it('do not exist for contracts of unknown size', () => {
    expect(barsWith({ size: undefined })).toEqual([[], [], [], []]);
  });
});
