import { describe, expect, it } from 'vitest';
import { syntheticTrades } from '../../exchange/synthetic-trades.ts';
import type { Trade } from '../../exchange/trade-series.ts';
import { START_MS } from './asking.ts';

const HOUR_MS = 3_600_000;
const options = {
  seed: 11,
  fromMs: START_MS,
  toMs: START_MS + 6 * HOUR_MS,
  tradesPerHour: 20_000,
  firstId: 5000,
};

function allTrades(made = syntheticTrades(options)): Trade[] {
  return Array.from({ length: made.count }, (_, index) => made.at(index));
}

describe('synthetic trades', () => {
  const series = syntheticTrades(options);
  const trades = allTrades(series);

  it('have consecutive ids and raw ids, and times that never run backwards', () => {
    expect(series.count).toBeGreaterThan(60_000);
    let flaws = 0;
    for (const [index, trade] of trades.entries()) {
      if (trade.a !== 5000 + index || trade.l < trade.f) flaws++;
      const before = trades[index - 1];
      if (before !== undefined && (trade.f !== before.l + 1 || trade.timeUs < before.timeUs))
        flaws++;
    }
    expect(flaws).toBe(0);
    expect(trades[0]?.timeUs).toBeGreaterThanOrEqual(START_MS * 1000);
    expect(trades.at(-1)?.timeUs).toBeLessThan((START_MS + 6 * HOUR_MS) * 1000);
  });

  it('are the same in whatever order they are read', () => {
    const again = syntheticTrades(options);
    for (let step = 0; step < 500; step++) {
      const index = (step * 7919 * 31) % series.count;
      expect(again.at(index)).toEqual(trades[index]);
    }
    expect(syntheticTrades({ ...options, seed: 12 }).at(100)).not.toEqual(trades[100]);
  });

  it('keep to tick and lot sizes, and look like a market', () => {
    expect(
      trades.every(
        (trade) => /^\d+\.\d{2}000000$/.test(trade.p) && /^\d+\.\d{5}000$/.test(trade.q),
      ),
    ).toBe(true);
    const sameMs = trades.filter(
      (trade, index) =>
        index > 0 &&
        Math.floor(trade.timeUs / 1000) === Math.floor((trades[index - 1]?.timeUs ?? 0) / 1000),
    );
    expect(sameMs.length / trades.length).toBeGreaterThan(0.1);
    expect(trades.some((trade) => trade.timeUs % 1000 !== 0)).toBe(true);
    expect(trades.some((trade) => trade.l - trade.f >= 10)).toBe(true);
    const perMinute = new Map<number, number>();
    for (const trade of trades) {
      const minute = Math.floor(trade.timeUs / 60_000_000);
      perMinute.set(minute, (perMinute.get(minute) ?? 0) + 1);
    }
    expect(perMinute.size).toBeLessThan(360);
    expect(Math.min(...perMinute.values())).toBeLessThan(40);
    expect(Math.max(...perMinute.values())).toBeGreaterThan(600);
    const sells = trades.filter((trade) => trade.m).length / trades.length;
    expect(sells).toBeGreaterThan(0.4);
    expect(sells).toBeLessThan(0.6);
  });

  it('find ids and times', () => {
    expect([0, 5000, 5001, 1e12].map((id) => series.indexOfId(id))).toEqual([
      0,
      0,
      1,
      series.count,
    ]);
    for (let index = 1; index < trades.length; index += 997) {
      const timeUs = trades[index]?.timeUs ?? 0;
      const found = series.indexAtTime(timeUs);
      expect(trades[found]?.timeUs).toBe(timeUs);
      expect(trades[found - 1]?.timeUs ?? 0).toBeLessThan(timeUs);
    }
    expect(series.indexAtTime(0)).toBe(0);
    expect(series.indexAtTime(Infinity)).toBe(series.count);
  });

  it('can be a billion without being held in memory', () => {
    const years = syntheticTrades({
      ...options,
      toMs: START_MS + 3 * 365 * 24 * HOUR_MS,
      tradesPerHour: 50_000,
    });
    expect(years.count).toBeGreaterThan(1e9);
    const last = years.at(years.count - 1);
    expect(last.a).toBe(5000 + years.count - 1);
    expect(years.indexAtTime(last.timeUs)).toBeGreaterThan(years.count - 500);
  });

  it('can start and end within an hour', () => {
    const fromMs = START_MS + 1_234_567;
    const part = syntheticTrades({
      ...options,
      fromMs,
      toMs: fromMs + 100_000,
      tradesPerHour: 60_000,
    });
    const rows = allTrades(part);
    expect(rows.length).toBeGreaterThan(300);
    expect(
      rows.every((row) => row.timeUs >= fromMs * 1000 && row.timeUs < (fromMs + 100_000) * 1000),
    ).toBe(true);
  });

  it('can be a cheap coin with quantities beyond 2^53 at 1e-8', () => {
    const coin = allTrades(syntheticTrades({ ...options, cheapCoin: true, tradesPerHour: 3000 }));
    expect(
      coin.every((trade) => /^0\.0000\d{4}$/.test(trade.p) && /^\d+\.0{8}$/.test(trade.q)),
    ).toBe(true);
    expect(Math.max(...coin.map((trade) => Number(trade.q)))).toBeGreaterThan(1e9);
  });
});
