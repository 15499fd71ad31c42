import { describe, expect, it } from 'vitest';
import { syntheticTrades } from '../../exchange/synthetic-trades.ts';
import { tradesFromArray, type TradeSeries } from '../../exchange/trade-series.ts';
import { ask, runExchange, START_MS } from './asking.ts';

const MINUTE_MS = 60_000;
type WireKline = [
  number,
  string,
  string,
  string,
  string,
  string,
  number,
  string,
  number,
  string,
  string,
  string,
];

async function klines(trades: TradeSeries, query: string, nowMs?: number): Promise<WireKline[]> {
  const exchange = await runExchange({
    symbols: [{ symbol: 'BTCUSDT', trades }],
    ...(nowMs === undefined ? {} : { nowMs: () => nowMs }),
  });
  const { text } = await ask(exchange, `klines?symbol=BTCUSDT&${query}`);
  return JSON.parse(text) as WireKline[];
}

/** Sums computed in another way than the simulator's: whole numbers of 1e-8, taken from the texts. */
function sum(texts: readonly string[]): bigint {
  return texts.reduce((total, text) => total + BigInt(text.replace('.', '')), 0n);
}

const handMade = tradesFromArray([
  { a: 1, p: '10', q: '1', f: 1, l: 3, timeUs: START_MS * 1000, m: false },
  { a: 2, p: '12', q: '0.5', f: 4, l: 4, timeUs: (START_MS + 30_000) * 1000, m: true },
  { a: 3, p: '9.5', q: '2', f: 5, l: 6, timeUs: (START_MS + MINUTE_MS) * 1000 - 1, m: false },
  { a: 4, p: '11', q: '1', f: 7, l: 7, timeUs: (START_MS + 3 * MINUTE_MS) * 1000, m: true },
]);

describe('klines', () => {
  it('has the twelve fields of the exchange', async () => {
    expect((await klines(handMade, 'interval=1m'))[0]).toEqual([
      START_MS,
      '10.00000000',
      '12.00000000',
      '9.50000000',
      '9.50000000',
      '3.50000000',
      START_MS + MINUTE_MS - 1,
      '35.00000000',
      6,
      '3.00000000',
      '29.00000000',
      '0',
    ]);
  });

  it('fills silent minutes with flat candles at the previous close', async () => {
    const candles = await klines(handMade, 'interval=1m');
    expect(candles.map((candle) => candle[0])).toEqual(
      [0, 1, 2, 3].map((minute) => START_MS + minute * MINUTE_MS),
    );
    expect(candles[2]?.slice(1, 6)).toEqual([
      '9.50000000',
      '9.50000000',
      '9.50000000',
      '9.50000000',
      '0.00000000',
    ]);
    expect(candles[2]?.[8]).toBe(0);
  });

  it('adds minutes up to longer candles', async () => {
    const [candle] = await klines(handMade, 'interval=5m');
    expect(candle?.slice(0, 6)).toEqual([
      START_MS,
      '10.00000000',
      '12.00000000',
      '9.50000000',
      '11.00000000',
      '4.50000000',
    ]);
    expect(candle?.[8]).toBe(7);
  });

  it.each([
    ['interval=1m&limit=2', [2, 3]],
    [`interval=1m&startTime=${START_MS + 1}&limit=2`, [1, 2]],
    [`interval=1m&endTime=${START_MS + MINUTE_MS}`, [0, 1]],
    [`interval=1m&startTime=${START_MS + MINUTE_MS}&endTime=${START_MS + 2 * MINUTE_MS - 1}`, [1]],
    [`interval=1m&startTime=${START_MS + 60 * MINUTE_MS}`, []],
  ])('%s gives minutes %j', async (query, minutes) => {
    const candles = await klines(handMade, query);
    expect(candles.map((candle) => (candle[0] - START_MS) / MINUTE_MS)).toEqual(minutes);
  });

  it('stops at the current time, and the running candle grows', async () => {
    const candles = await klines(handMade, 'interval=1m', START_MS + 40_000);
    expect(candles).toHaveLength(1);
    expect(candles[0]?.[5]).toBe('1.50000000');
  });

  it('equals direct sums over every minute of synthetic hours', async () => {
    const trades = syntheticTrades({
      seed: 3,
      fromMs: START_MS,
      toMs: START_MS + 7_200_000,
      tradesPerHour: 5000,
    });
    const candles = await klines(trades, 'interval=1m&limit=1000');
    expect(candles.length).toBeGreaterThanOrEqual(119);
    for (const candle of candles) {
      const rows = [];
      for (
        let index = trades.indexAtTime(candle[0] * 1000);
        index < trades.indexAtTime((candle[0] + MINUTE_MS) * 1000);
        index++
      )
        rows.push(trades.at(index));
      expect(sum([candle[5]])).toBe(sum(rows.map((row) => row.q)));
      expect(sum([candle[9]])).toBe(sum(rows.filter((row) => !row.m).map((row) => row.q)));
      expect(candle[8]).toBe(rows.reduce((total, row) => total + row.l - row.f + 1, 0));
      if (rows.length === 0) continue;
      const prices = rows.map((row) => Number(row.p));
      expect([candle[1], candle[2], candle[3], candle[4]].map(Number)).toEqual([
        prices[0],
        Math.max(...prices),
        Math.min(...prices),
        prices.at(-1),
      ]);
    }
  });
});
