import { expect, test } from 'vitest';
import { cpuOf, shareOf, sumOf } from '../../bench/measurement.ts';

const first = {
  value: 6,
  rows: 30,
  uses: {
    client: { cpuS: 3, peakBytes: 100, writtenBytes: 8 },
    simulator: { cpuS: 9, peakBytes: 1, writtenBytes: 0 },
  },
};
const second = {
  value: 4,
  uses: {
    client: { cpuS: 1, peakBytes: 70, writtenBytes: 2 },
    QuestDB: { cpuS: 5, peakBytes: 900, writtenBytes: 40 },
  },
};

test('samples one after the other: times and bytes add up, the highest peak counts', () => {
  expect(sumOf([first, second])).toEqual({
    value: 10,
    uses: {
      client: { cpuS: 4, peakBytes: 100, writtenBytes: 10 },
      simulator: { cpuS: 9, peakBytes: 1, writtenBytes: 0 },
      QuestDB: { cpuS: 5, peakBytes: 900, writtenBytes: 40 },
    },
  });
});

test('a share of a sample: times, rows and bytes are divided, peaks are not', () => {
  expect(shareOf(first, 2)).toEqual({
    value: 3,
    rows: 15,
    uses: {
      client: { cpuS: 1.5, peakBytes: 100, writtenBytes: 4 },
      simulator: { cpuS: 4.5, peakBytes: 1, writtenBytes: 0 },
    },
  });
});

test('CPU seconds of all processes leave out the simulated exchange', () => {
  expect(cpuOf(sumOf([first, second]))).toBe(9);
});
