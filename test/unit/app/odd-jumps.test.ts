import { expect, test } from 'vitest';
import { oddJumps } from '../../../src/app/hour/odd-jumps.ts';

const longest = { from: { id: 7, timeUs: 0 }, to: { id: 8, timeUs: 1_000_000 }, size: 3 };

test.each([
  [1, '1 jump of raw trade ids leaves out 3 between id 7'],
  [2_475, '2475 jumps of raw trade ids, the longest leaves out 3 between id 7'],
])('the evidence of %d jumps uses the right singular or plural', (count, words) => {
  const [gap] = oddJumps('binance_spot', 0, { halts: undefined, rawIdGaps: { count, longest } });
  expect(gap?.evidence.startsWith(words), gap?.evidence).toBe(true);
});
