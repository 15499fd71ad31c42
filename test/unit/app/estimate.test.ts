import { expect, test } from 'vitest';
import { estimate } from '../../../src/app/plan/estimate.ts';
import { silentSource } from '../../../src/app/day/silent-source.ts';
import type { TradeSource } from '../../../src/ports/trade-source.ts';

const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;
const DAY_MS = 86_400_000;

const source = silentSource({ pageRows: 1_000, pageWeight: () => 4 } as unknown as TradeSource);
const deps = {
  source,
  ledger: { totals: () => Promise.reject(new Error()) },
  clock: { nowMs: () => 0 },
};

/** Two days from files of a folder, sized so that they have this many trades. */
async function bytesOf(rows: number): Promise<number> {
  const plan = { ...SERIES, wantedHours: 48, dueHours: 48, dueBarDays: 0, chainDue: true };
  const sources = {
    archiveDays: 2,
    archiveHours: 48,
    stretches: 1,
    files: 2,
    fileBytes: undefined,
    unlisted: undefined,
    dayBytes: rows * 14,
    restHours: 0,
    unreachable: [],
    jobs: 2,
  };
  const range = { startMs: 0, endMs: 2 * DAY_MS };
  const work = { plan, sources, range, choice: 'dir:/files' } as const;
  const estimated = await estimate(deps, work, {
    signal: AbortSignal.timeout(1_000),
    isRough: true,
  });
  expect(estimated.rows).toBe(rows);
  return estimated.bytes;
}

test('disk is that of the trades and of the bars of each day', async () => {
  expect(await bytesOf(2_000)).toBe(2_000 * 57 + 2 * 950_000);
  expect(await bytesOf(1_000_000)).toBe(1_000_000 * 57 + 2 * 950_000);
});
