import { expect, test } from 'vitest';
import { rangeOf } from '../../../src/adapters/questdb/partitions.ts';

const utc = (text: string) => Date.parse(text);

test.each([
  ['2024-02-29', '2024-02-29', '2024-03-01'],
  ['2024-02', '2024-02-01', '2024-03-01'],
  ['2024-12', '2024-12-01', '2025-01-01'],
  ['2024', '2024-01-01', '2025-01-01'],
  ['2024-W01', '2024-01-01', '2024-01-08'],
  // 2020 has 53 weeks, and 2021 begins in the last of them.
  ['2020-W53', '2020-12-28', '2021-01-04'],
  ['2021-W01', '2021-01-04', '2021-01-11'],
  ['2025-W01', '2024-12-30', '2025-01-06'],
  ['2023-W01', '2023-01-02', '2023-01-09'],
])('the partition %s is from %s to %s', (name, start, end) => {
  expect(rangeOf(name)).toEqual({ startMs: utc(start), endMs: utc(end) });
});
