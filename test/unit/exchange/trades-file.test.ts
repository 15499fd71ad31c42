import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTradesFile } from '../../exchange/trades-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'exchange-'));
let files = 0;

function write(text: string): string {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, text);
  return path;
}

const ROW = '7,42283.58000000,0.00069000,10,12,1704067200000,True,True';

/** 5000 lines */
const rows = (from: number): string =>
  Array.from(
    { length: 5000 },
    (_, index) =>
      `${from + index},1.5,2,${from + index},${from + index},${1704067200000 + from + index},True,True\n`,
  ).join('');

describe('trades files', () => {
  it.each([
    ['milliseconds, no header', `${ROW}\n`],
    ['microseconds', '7,42283.58000000,0.00069000,10,12,1704067200000000,True,True\n'],
    [
      'a header',
      `agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker,is_best_match\n${ROW}\n`,
    ],
    ['lower-case flags and seven columns', '7,42283.58,0.00069,10,12,1704067200000,true\n'],
    ['CRLF', `${ROW}\r\n`],
    ['no line end', ROW],
  ])('with %s', async (_name, text) => {
    const series = await loadTradesFile(write(text));
    expect(series.count).toBe(1);
    expect(series.at(0)).toEqual({
      a: 7,
      p: '42283.58000000',
      q: '0.00069000',
      f: 10,
      l: 12,
      timeUs: 1_704_067_200_000_000,
      m: true,
    });
  });

  it('keeps void rows and huge quantities unchanged', async () => {
    const series = await loadTradesFile(
      write(
        '1,0,0,-1,-1,1704067200000,False,True\n2,0.00001234,98765432109.12345678,1,1,1704067200001,False,True\n',
      ),
    );
    expect(series.at(0)).toMatchObject({ p: '0.00000000', f: -1, l: -1, m: false });
    expect(series.at(1)).toMatchObject({ p: '0.00001234', q: '98765432109.12345678' });
  });

  it('joins the files of several days, across chunk borders', async () => {
    const series = await loadTradesFile(write(rows(0)), write(rows(5000)));
    expect(series.count).toBe(10_000);
    expect([0, 4999, 5000, 9999].map((index) => series.at(index).a)).toEqual([0, 4999, 5000, 9999]);
    expect([series.indexOfId(5000), series.indexAtTime(1_704_067_205_000_000)]).toEqual([
      5000, 5000,
    ]);
  });

  it('refuses a file that is not a trades file', async () => {
    await expect(loadTradesFile(write('1,abc,2\n'))).rejects.toThrow('no number');
    await expect(loadTradesFile(write(''))).rejects.toThrow('no trades');
  });
});
