import { describe, expect, test } from 'vitest';
import { stretchesOf } from '../../../src/domain/plan/stretch.ts';
import { DAY_MS } from '../../../src/domain/time/hour.ts';

const MARCH = Date.UTC(2024, 2, 1);
const dayAt = (day: number) => MARCH + (day - 1) * DAY_MS;

/** The names of the month's stretches, in order. */
function namesWith(bytesOf: (day: number) => number | undefined): string[] {
  const names = stretchesOf(MARCH, (dayMs) => bytesOf(1 + (dayMs - MARCH) / DAY_MS));
  expect(names.size).toBe(31);
  return [...new Set(names.values())];
}

describe('the stretches of a month', () => {
  test('are one where all files are small', () => {
    expect(namesWith(() => 30_000)).toEqual(['20240301-20240331']);
  });

  test('are the days where each file is large', () => {
    const names = namesWith(() => 5_000_000);
    expect(names).toHaveLength(31);
    expect(names[0]).toBe('20240301');
  });

  test('hold at most 4 MB of files', () => {
    expect(namesWith(() => 400_000)).toEqual([
      '20240301-20240310',
      '20240311-20240320',
      '20240321-20240330',
      '20240331',
    ]);
  });

  test('leave a day of unknown size, and a busy one, alone', () => {
    expect(namesWith((day) => (day === 10 ? undefined : 30_000))).toEqual([
      '20240301-20240309',
      '20240310',
      '20240311-20240331',
    ]);
    expect(namesWith((day) => (day === 31 ? 9_000_000 : 30_000))).toEqual([
      '20240301-20240330',
      '20240331',
    ]);
  });

  test('give every day the name of its stretch', () => {
    const names = stretchesOf(dayAt(15), () => 30_000);
    expect(names.get(dayAt(1))).toBe('20240301-20240331');
    expect(names.get(dayAt(31))).toBe('20240301-20240331');
  });
});
