import { describe, expect, test } from 'vitest';
import type { ShownBar } from '../../../src/ports/chart-data.ts';
import { renderPlot } from '../../../src/cli/print/plot.ts';
import { HOUR_MS } from '../../../src/domain/time/hour.ts';

const START = Date.UTC(2024, 0, 1);

/** A bar with levels and prices that begin and end at the same value, with a tail to `low`. */
function bar(hour: number, value: number, rest: Partial<ShownBar> = {}): ShownBar {
  const text = (number: number): string => number.toFixed(8);
  return {
    openMs: START + hour * HOUR_MS,
    endMs: START + (hour + 1) * HOUR_MS,
    open: text(value),
    high: text(value),
    low: text(value),
    close: text(value),
    delta: '0.00000000',
    buyVolume: '1.00000000',
    sellVolume: '1.00000000',
    quoteDelta: undefined,
    quoteVolume: undefined,
    aggTrades: 1,
    trades: 1,
    priceOpen: text(1000 + value),
    priceHigh: text(1000 + value),
    priceLow: text(1000 + value),
    priceClose: text(1000 + value),
    firstId: 1,
    lastId: 1,
    status: 'final',
    levelFromMs: START,
    levelMissing: 0,
    ...rest,
  };
}

const slotsOf = (hours: number) =>
  Array.from({ length: hours }, (_, hour) => ({
    openMs: START + hour * HOUR_MS,
    endMs: START + (hour + 1) * HOUR_MS,
  }));

const rising = (hours: readonly number[]) => hours.map((hour) => bar(hour, hour - 2));
const plot = (bars: readonly ShownBar[], hours: number, width = 80) =>
  renderPlot(bars, { slots: slotsOf(hours), width }).split('\n');
/** What is right of the axis. */
const inside = (line = '') => line.slice(8);

// 44 columns are 8 for the axis and 36 for the picture: 12 dots for each of six hours.
test('a plot has price and CDV with their exact ranges, 0 where it is inside, and times in UTC', () => {
  expect(plot(rising([0, 1, 2, 3, 4, 5]), 6, 44)).toEqual([
    'price, last 1003',
    '  1003 ┤                              ⠉⠉⠉⠉⠉⠉',
    '       │                        ⠤⠤⠤⠤⠤⠤',
    '       │',
    '       │                  ⠉⠉⠉⠉⠉⠉',
    '       │            ⣀⣀⣀⣀⣀⣀',
    '       │',
    '       │      ⠒⠒⠒⠒⠒⠒',
    '   998 ┤⣀⣀⣀⣀⣀⣀',
    'CDV, last 3',
    '     3 ┤                              ⠉⠉⠉⠉⠉⠉',
    '       │                        ⠤⠤⠤⠤⠤⠤',
    '       │',
    '       │                  ⠉⠉⠉⠉⠉⠉',
    '     0 ┤            ⣀⣀⣀⣀⣀⣀',
    '       │',
    '       │      ⠒⠒⠒⠒⠒⠒',
    '    -2 ┤⣀⣀⣀⣀⣀⣀',
    '       └┬───────────┬───────────┬───────────',
    '   UTC  2024-01-01  02:00       04:00',
  ]);
});

test('a bar goes from its open to its close, and reaches its high and low in the middle', () => {
  const moved = bar(0, 0, { high: '8.00000000', low: '-8.00000000', close: '4.00000000' });
  const picture = plot([moved], 1, 44).slice(10, 18).map(inside);
  expect(picture).toEqual([
    '                 ⢸',
    '                 ⢸',
    '                 ⢸  ⣀⣀⣀⣀⣠⠤⠤⠤⠤⠖⠒⠒⠒⠚⠉⠉',
    '  ⣀⣀⣀⣀⣠⠤⠤⠤⠤⠖⠒⠒⠒⠚⠉⢹⠉⠉⠁',
    '⠉⠉⠁              ⢸',
    '                 ⢸',
    '                 ⢸',
    '                 ⢸',
  ]);
});

describe('bars that are absent', () => {
  test('leave a gap in both panes, with a mark below it', () => {
    const lines = plot(rising([0, 1, 4, 5]), 6, 44);
    for (const line of [...lines.slice(1, 9), ...lines.slice(10, 18)])
      expect(inside(line).slice(12, 24).trim(), line).toBe('');
    expect(lines.at(-1)).toBe(`absent  ${' '.repeat(12)}${'×'.repeat(12)}`);
    expect(inside(lines[2])).toBe(`${' '.repeat(24)}⠤⠤⠤⠤⠤⠤`);
  });

  test('also at the ends of the range', () => {
    const lines = plot(rising([1, 2]), 6, 44);
    expect(lines.at(-1)).toBe(`absent  ${'×'.repeat(6)}${' '.repeat(12)}${'×'.repeat(18)}`);
  });

  test('leave a gap where a column of dots holds other bars, too', () => {
    const all = Array.from({ length: 720 }, (_, hour) => hour);
    const whole = plot(rising(all), 720, 44);
    expect(whole.at(-1)).toMatch(/^ {3}UTC/);
    const lines = plot(rising(all.filter((hour) => hour !== 365)), 720, 44);
    expect(lines.at(-1)).toBe(`absent  ${' '.repeat(18)}×`);
    const dots = (text: string[]) => text.slice(1, 9).map((line) => inside(line)[18] ?? ' ');
    // The left column of dots is empty, the right one is not.
    expect(dots(whole).join('').trim()).toBe('⣀');
    expect(dots(lines).join('').trim()).toBe('⢀');
  });
});

test('a bar without trades has a level and no price, and is not absent', () => {
  const none = { priceOpen: undefined, priceHigh: undefined, priceLow: undefined };
  const quiet = bar(1, -1, { ...none, priceClose: undefined, trades: 0 });
  const [first, , third] = rising([0, 1, 2]);
  const lines = plot(
    [first, quiet, third].filter((one) => one !== undefined),
    3,
    44,
  );
  for (const line of lines.slice(1, 9)) expect(inside(line).slice(12, 24).trim()).toBe('');
  expect(lines.slice(10, 18).some((line) => inside(line).slice(12, 24).trim() !== '')).toBe(true);
  expect(lines.at(-1)).toMatch(/^ {3}UTC/);
  expect(plot([quiet], 2, 44)[0]).toBe('price: no trades');
});

test.each([
  [80, 80],
  [200, 80],
  [60, 60],
  [10, 40],
])('in a terminal of %d columns it has %d', (width, columns) => {
  const lines = plot(rising([0, 1, 2]), 3, width);
  expect(Math.max(...lines.map((line) => line.length))).toBe(columns);
});

test('a flat line is drawn in the middle, and long numbers are not cut', () => {
  const level = { open: '-123456789012.12345678', close: '-123456789012.12345678' };
  const flat = bar(0, 0, { ...level, high: level.open, low: level.open });
  const lines = plot([flat], 1);
  expect(lines[13]).toMatch(/^-123456789012\.12345678 ┤⣀+$/);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
});

test('a range without bars says so', () => {
  expect(plot([], 3)).toEqual(['(no bars)']);
});

test.each([
  [1, ['2024-01-01', '00:10', '00:20', '00:30', '00:40', '00:50']],
  [36, ['2024-01-01', '06:00', '12:00', '18:00', '2024-01-02', '06:00']],
  [24 * 40, ['2024-01-08', '2024-01-18', '2024-01-28']],
])('ticks of %d hours are round UTC times', (hours, labels) => {
  const slots = [{ openMs: START, endMs: START + hours * HOUR_MS }];
  const lines = renderPlot([bar(0, 1, slots[0])], { slots, width: 80 }).split('\n');
  expect(lines.at(-1)?.trim().split(/ +/)).toEqual(['UTC', ...labels]);
  // Each label begins below its tick.
  const columns = [...(lines.at(-2) ?? '').matchAll(/┬/g)].map(({ index }) => index);
  expect(columns.map((column) => lines.at(-1)?.slice(column).split(' ')[0])).toEqual(labels);
});
