import { describe, expect, it } from 'vitest';
import { faultySeries, type DataFault } from '../../exchange/data-faults.ts';
import { repeatedTrades } from '../../exchange/repeated-trades.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { ask, askTrades, plainTrades, runExchange, START_MS } from './asking.ts';

async function faulty(
  faults: readonly DataFault[],
  nowMs: () => number = Date.now,
): Promise<Exchange> {
  return runExchange({
    symbols: [{ symbol: 'BTCUSDT', trades: faultySeries(plainTrades(3000), faults) }],
    nowMs,
    enforceWeight: false,
  });
}

const ids = async (exchange: Exchange, query: string): Promise<number[]> =>
  (await askTrades(exchange, query)).map((row) => row.a);

async function hourCandle(exchange: Exchange): Promise<string[]> {
  const { text } = await ask(exchange, 'klines?symbol=BTCUSDT&interval=1h');
  return (JSON.parse(text) as string[][])[0] ?? [];
}

describe('data faults', () => {
  it('a gap: ids are missing, klines still count them', async () => {
    const exchange = await faulty([{ kind: 'gap', fromId: 150, toId: 159 }]);
    expect(await ids(exchange, 'fromId=148&limit=4')).toEqual([148, 149, 160, 161]);
    expect(await ids(exchange, 'fromId=155&limit=2')).toEqual([160, 161]);
    expect(await ids(exchange, `startTime=${START_MS + 52 * 10}&limit=1`)).toEqual([160]);
    expect(await ids(exchange, `endTime=${START_MS + 52 * 10}&limit=1`)).toEqual([149]);
    expect((await hourCandle(exchange))[5]).toBe('3.00000000');
  });

  it('a duplicate id may have other content the second time', async () => {
    const exchange = await faulty([
      { kind: 'duplicateId', id: 150, change: { q: '7.00000000' } },
      { kind: 'gap', fromId: 152, toId: 153 },
    ]);
    const rows = await askTrades(exchange, 'fromId=149&limit=5');
    expect(rows.map(({ a, q }) => [a, q])).toEqual([
      [149, '0.00100000'],
      [150, '0.00100000'],
      [150, '7.00000000'],
      [151, '0.00100000'],
      [154, '0.00100000'],
    ]);
  });

  it('a duplicate id: the row appears twice', async () => {
    const exchange = await faulty([{ kind: 'duplicateId', id: 150 }]);
    expect(await ids(exchange, 'fromId=149&limit=4')).toEqual([149, 150, 150, 151]);
    expect(await ids(exchange, 'fromId=151&limit=1')).toEqual([151]);
    expect(await ids(exchange, 'limit=1')).toEqual([3100]);
    expect((await hourCandle(exchange))[5]).toBe('3.00000000');
  });

  it('an invalid row keeps its id and counts in no candle', async () => {
    const exchange = await faulty([{ kind: 'invalidRow', id: 150 }]);
    const rows = await askTrades(exchange, 'fromId=149&limit=3');
    expect(rows.map((row) => row.a)).toEqual([149, 150, 151]);
    expect(rows[1]).toMatchObject({
      p: '0.00000000',
      q: '0.00000000',
      f: -1,
      l: -1,
      T: START_MS + 490,
    });
    expect(await hourCandle(exchange)).toMatchObject({
      3: '42000.50000000',
      5: '2.99900000',
      8: 2999,
    });
  });

  it('a row whose time runs backwards', async () => {
    const exchange = await faulty([{ kind: 'timeBackwards', id: 150, byMs: 25 }]);
    const rows = await askTrades(exchange, 'fromId=149&limit=3');
    expect(rows.map((row) => row.T - START_MS)).toEqual([480, 465, 500]);
    expect(await ids(exchange, `startTime=${START_MS + 490}&limit=1`)).toEqual([151]);
  });

  it('more than a page in one millisecond', async () => {
    const exchange = await faulty([{ kind: 'sameMs', fromId: 150, count: 1500 }]);
    const first = await askTrades(
      exchange,
      `startTime=${START_MS + 490}&endTime=${START_MS + 490}&limit=1000`,
    );
    expect([first.length, first[0]?.a]).toEqual([1000, 150]);
    expect(await ids(exchange, `startTime=${START_MS + 491}&limit=1`)).toEqual([1650]);
    const micros = await askTrades(exchange, 'fromId=150&limit=1000', {
      'X-MBX-TIME-UNIT': 'MICROSECOND',
    });
    expect(micros.every((row, index) => row.T >= (micros[index - 1]?.T ?? 0))).toBe(true);
    expect(new Set(micros.map((row) => Math.floor(row.T / 1000))).size).toBe(1);
  });

  it('other content on the n-th read', async () => {
    const exchange = await faulty([
      { kind: 'alteredRead', id: 150, onRead: 2, change: { q: '9.00000000' } },
    ]);
    const read = async (): Promise<string | undefined> =>
      (await askTrades(exchange, 'fromId=150&limit=1'))[0]?.q;
    expect([await read(), await read(), await read()]).toEqual([
      '0.00100000',
      '9.00000000',
      '0.00100000',
    ]);
  });

  it('rows that appear late, at the end and in the middle', async () => {
    let nowMs = START_MS + 60_000;
    const exchange = await faulty(
      [
        { kind: 'lateRows', fromId: 3050, visibleAtMs: START_MS + 61_000 },
        { kind: 'lateRows', fromId: 200, toId: 201, visibleAtMs: START_MS + 62_000 },
      ],
      () => nowMs,
    );
    expect(await ids(exchange, 'limit=1')).toEqual([3049]);
    expect(await ids(exchange, 'fromId=199&limit=2')).toEqual([199, 202]);
    nowMs = START_MS + 61_000;
    expect(await ids(exchange, 'limit=1')).toEqual([3100]);
    nowMs = START_MS + 62_000;
    expect(await ids(exchange, 'fromId=199&limit=2')).toEqual([199, 200]);
  });

  it('a database that lags', async () => {
    const exchange = await faulty([{ kind: 'lag', lagMs: 100 }], () => START_MS + 1000);
    expect(await ids(exchange, 'limit=1')).toEqual([191]);
  });

  it('a short page, then the rest', async () => {
    const exchange = await faulty([{ kind: 'shortPage', id: 150, times: 1 }]);
    expect((await ids(exchange, 'fromId=101&limit=1000')).at(-1)).toBe(150);
    expect((await ids(exchange, 'fromId=101&limit=1000')).at(-1)).toBe(1100);
  });

  it('a page that comes twice', async () => {
    const exchange = await faulty([{ kind: 'repeatedPage', id: 150 }]);
    expect(await ids(exchange, 'fromId=140&limit=2')).toEqual([140, 141]);
    expect(await ids(exchange, 'fromId=150&limit=2')).toEqual([140, 141]);
    expect(await ids(exchange, 'fromId=150&limit=2')).toEqual([150, 151]);
  });

  it('several faults at once', async () => {
    const exchange = await faulty([
      { kind: 'gap', fromId: 150, toId: 152 },
      { kind: 'duplicateId', id: 155 },
      { kind: 'gap', fromId: 157, toId: 157 },
      { kind: 'invalidRow', id: 154 },
    ]);
    const rows = await askTrades(exchange, 'fromId=149&limit=8');
    expect(rows.map((row) => row.a)).toEqual([149, 153, 154, 155, 155, 156, 158, 159]);
    expect(rows[2]?.f).toBe(-1);
    expect(await ids(exchange, `startTime=${START_MS + 570}&limit=1`)).toEqual([158]);
  });
});

describe('repeated trades', () => {
  it('continue ids, raw ids and times', () => {
    const series = repeatedTrades(plainTrades(100), { times: 3, everyMs: 1000, shiftMs: 500 });
    expect(series.count).toBe(300);
    for (let index = 0; index < 300; index++) {
      const trade = series.at(index);
      expect([trade.a, trade.f]).toEqual([101 + index, 101 + index]);
      expect(trade.timeUs).toBe((START_MS + 500 + index * 10) * 1000 + 500);
      expect([series.indexOfId(trade.a), series.indexAtTime(trade.timeUs)]).toEqual([index, index]);
    }
    expect([series.indexOfId(0), series.indexOfId(1000), series.indexAtTime(0)]).toEqual([
      0, 300, 0,
    ]);
  });
});
