import { expect, test } from 'vitest';
import { CsvRows } from '../../../src/adapters/archive/csv-rows.ts';

test.each([17, 18, 64, 20_000])(
  'the shortest rows are read, all of them, in pieces of %d bytes',
  (size) => {
    const count = 1_000;
    const text = Array.from({ length: count }, (_, at) => `${at % 10},0,0,0,0,${at % 7},True\n`);
    const bytes = Buffer.from(text.join(''));
    const rows = new CsvRows('x.csv');
    const found: { aggId: number; timeUs: number }[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const block = rows.push(bytes.subarray(at, at + size));
      found.push(...block.trades(0, block.rows));
    }
    expect(found.map(({ aggId, timeUs }) => [aggId, timeUs])).toEqual(
      Array.from({ length: count }, (_, at) => [at % 10, (at % 7) * 1_000]),
    );
  },
);
