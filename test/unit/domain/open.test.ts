import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openAtPrevious } from '../../../src/domain/bars/bar.ts';
import { cdvBars } from '../../support/reference-bars.ts';
import { MINUTE_MS } from '../../../src/domain/time/hour.ts';
import { tradeOf } from '../../support/trades.ts';

const SPEC = readFileSync(path.join(import.meta.dirname, '../../../SPEC.md'), 'utf8');
const HOUR = Date.UTC(2024, 0, 1);

test('both conventions are those of the example in SPEC.md', () => {
  const rows = [...SPEC.matchAll(/^\| (\d) \| (first|previous) \| (.+) \|$/gm)].map(
    ([, minute, convention, numbers = '']) => [
      `${minute} ${convention}`,
      ...numbers.split(' | ').map((text) => Number(text.replace('−', '-'))),
    ],
  );
  expect(rows).toHaveLength(6);
  // A trade that makes CDV 10, then the trades of two minutes.
  const quantities = [10, 2, -5, 1, -2, -1];
  const minutes = [-1, 0, 0, 0, 1, 1];
  const trades = quantities.map((quantity, index) =>
    tradeOf(index, HOUR + (minutes[index] ?? 0) * MINUTE_MS, {
      qty: `${Math.abs(quantity)}.00000000`,
      isBuyerMaker: quantity < 0,
    }),
  );
  const bars = [...cdvBars(trades, { intervalMs: MINUTE_MS, denseHours: [HOUR] })].slice(1, 4);
  const numbers = ({ open, high, low, close, delta }: (typeof bars)[number]) =>
    [open, high, low, close, delta].map((units) => Number(units) / 1e8);
  expect(rows).toEqual(
    bars.flatMap((bar, index) => [
      [`${index + 1} first`, ...numbers(bar)],
      [`${index + 1} previous`, ...numbers({ ...bar, ...openAtPrevious(bar) })],
    ]),
  );
});
