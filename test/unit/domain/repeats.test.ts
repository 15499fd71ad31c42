import { describe, expect, it } from 'vitest';
import { describeRepeat, withoutRepeats } from '../../../src/domain/proof/repeats.ts';
import { tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1, 10);
const [five, six, seven] = [5, 6, 7].map((id) => tradeOf(id, HOUR));
const sixAgain = tradeOf(6, HOUR, { qty: '2.00000000' });
const sixLater = tradeOf(6, HOUR + 1);

if (five === undefined || six === undefined || seven === undefined) throw new Error('no trades');

describe('a page without its repeats', () => {
  it('is unchanged when each id appears once, with or without holes', () => {
    expect(withoutRepeats([])).toEqual({ rows: [], repeats: [] });
    expect(withoutRepeats([five, seven])).toEqual({ rows: [five, seven], repeats: [] });
  });

  it('has the first row of each id, and reports the others', () => {
    expect(withoutRepeats([five, six, sixAgain, sixLater, seven, seven])).toEqual({
      rows: [five, six, seven],
      repeats: [
        { kept: six, others: [sixAgain, sixLater] },
        { kept: seven, others: [seven] },
      ],
    });
  });

  it('keeps ids that run backwards: the hour’s run refuses them', () => {
    expect(withoutRepeats([five, seven, six]).rows).toEqual([five, seven, six]);
    expect(withoutRepeats([six, five, six]).rows).toEqual([six, five, six]);
  });
});

describe('the evidence of a repeat', () => {
  it('says that nothing differs, however the numbers are written', () => {
    const text = describeRepeat({ kept: six, others: [{ ...six, qty: '1.0' }, six] });
    expect(text).toBe('the exchange gave this id 3 times with equal content; one is kept');
  });

  it('has every content that differs, including the time', () => {
    const text = describeRepeat({ kept: six, others: [six, sixAgain, sixLater] });
    expect(text).toContain('4 times with different content');
    expect(text).toContain(`kept: price 42000.00000000, quantity 1.00000000, trades 12 to 13`);
    expect(text).toContain('dropped: price 42000.00000000, quantity 2.00000000');
    expect(text).toContain(`${(HOUR + 1) * 1000} µs`);
  });
});
