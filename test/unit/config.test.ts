import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { DEFAULT_TIERS } from '../../src/domain/tier.ts';

describe('CDVAULT_TIERS', () => {
  it('has the lower bounds of all tiers but the first, which is 0', () => {
    expect(loadConfig({ tiers: '500, 10000' }).tiers).toEqual([0, 500, 10_000]);
    expect(loadConfig().tiers).toEqual(DEFAULT_TIERS);
  });

  it.each([' ', '0,10', '10,5', '10,10', 'abc', '1e4', '-5', '1.5', '10,', `1${'0'.repeat(15)}`])(
    'refuses %j',
    (tiers) => {
      expect(() => loadConfig({ tiers })).toThrow(
        'CDVAULT_TIERS must be up to 15 ascending whole numbers like 10000,100000,1000000',
      );
    },
  );
});
