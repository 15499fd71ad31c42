import { expect, it } from 'vitest';
import { rangeProgressLine } from '../../../src/cli/print/range-progress.ts';

const hourMs = Date.UTC(2024, 0, 1, 10);

it.each([
  [
    'in the middle',
    { rows: 250_000, totalRows: 1_000_000, elapsedMs: 1_000 },
    '25.0% | 250.0k rows | 250.0k rows/s | ETA 3s | at 2024-01-01T10Z',
  ],
  [
    'more rows than the ledger counts',
    { rows: 12, totalRows: 10, elapsedMs: 1_000 },
    '100.0% | 12 rows | 12 rows/s | ETA 0s | at 2024-01-01T10Z',
  ],
  [
    'a range without trades',
    { rows: 0, totalRows: 0, elapsedMs: 5_000 },
    '100.0% | 0 rows | 0 rows/s | at 2024-01-01T10Z',
  ],
])('the progress over a range: %s', (_, facts, line) => {
  expect(rangeProgressLine({ ...facts, hourMs })).toBe(line);
});
