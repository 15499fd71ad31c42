import { expect, test } from 'vitest';
import type { LevelBar } from '../../../src/page/data/bar.ts';
import { levelsFromStart } from '../../../src/page/levels.ts';

const bar = (values: Partial<LevelBar>): LevelBar => ({
  open: '0.00000000',
  high: '0.00000000',
  low: '0.00000000',
  close: '0.00000000',
  delta: '0.00000000',
  status: 'final',
  levelMissing: 0,
  ...values,
});

test('levels count from the first bar, whatever they counted from before', () => {
  // 9007199254740993 units are 2^53 + 1: a double would round them.
  const bars = [
    bar({ open: '100', high: '190071992.54740993', low: '99', close: '101', delta: '2' }),
    // Another day: its levels begin at 0 again.
    bar({ open: '-1', high: '0.5', low: '-3', close: '-2.00000001', delta: '-2.00000001' }),
  ];
  expect(levelsFromStart(bars)).toEqual([
    {
      open: '1.00000000',
      high: '190071893.54740993',
      low: '0.00000000',
      close: '2.00000000',
      levelMissing: 0,
    },
    {
      open: '1.00000000',
      high: '2.50000000',
      low: '-1.00000000',
      close: '-0.00000001',
      levelMissing: 0,
    },
  ]);
});

test('after a bar that is not stored or not final, it is unknown what the levels miss', () => {
  const missing = (bars: readonly (LevelBar | undefined)[]) =>
    levelsFromStart(bars).map((level) => level?.levelMissing);
  expect(missing([bar({}), undefined, bar({})])).toEqual([0, undefined, null]);
  expect(missing([bar({ status: 'partial' }), bar({})])).toEqual([null, null]);
});
