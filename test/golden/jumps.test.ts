import { beforeAll, describe, expect, it } from 'vitest';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { createHourRun } from '../../src/domain/proof/continuity.ts';
import type { RunFacts } from '../../src/domain/proof/hour-run.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { realDayIsHere, realDayTrades } from './real-day.ts';

const TEN = Date.UTC(2024, 0, 1, 10);

function factsOf(hourMs: number, trades: readonly AggTrade[]): RunFacts {
  const run = createHourRun({ hourMs }, { expectedId: trades[0]?.aggId ?? 0 });
  if (!run.accept(trades).done) run.accept([]);
  return run.facts;
}

describe.runIf(realDayIsHere())('jumps on the real day, BTCUSDT 2024-01-01', () => {
  const trades: AggTrade[] = [];

  beforeAll(async () => {
    for await (const trade of realDayTrades()) trades.push(trade);
  }, 60_000);

  it('has no halt and no jump of raw ids', () => {
    for (let hourMs = TEN - 10 * HOUR_MS; hourMs < TEN + 14 * HOUR_MS; hourMs += HOUR_MS) {
      const { rows, halts, rawIdGaps } = factsOf(hourMs, trades);
      expect(rows).toBeGreaterThan(20_000);
      expect([halts, rawIdGaps]).toEqual([undefined, undefined]);
    }
  });

  it.each([
    ['5 minutes in the middle', 30, 35],
    ['its last 20 minutes and the next hour', 40, 120],
    ['all but its first 5 minutes', 5, 60],
  ])('has a halt where the trades of an hour are removed: %s', (_, fromMinute, toMinute) => {
    const silentFromUs = (TEN + fromMinute * MINUTE_MS) * 1000;
    const silentToUs = (TEN + toMinute * MINUTE_MS) * 1000;
    const left = trades
      .filter(({ timeUs }) => timeUs < silentFromUs || timeUs >= silentToUs)
      .map((trade, index) => ({ ...trade, aggId: index }));
    const { halts } = factsOf(TEN, left);
    expect(halts?.count).toBe(1);
    expect(halts?.longest.size).toBeGreaterThanOrEqual((toMinute - fromMinute) * 60_000_000);
    expect(halts?.longest.from.timeUs).toBeLessThan(silentFromUs);
  });
});
