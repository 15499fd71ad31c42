import { expect, test } from 'vitest';
import { planSources } from '../../../src/app/plan/plan-sources.ts';
import { DAY_MS } from '../../../src/domain/time/hour.ts';
import type { ArchiveSource } from '../../../src/ports/archive-source.ts';

const DAY = Date.UTC(2024, 0, 10);
const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;

/** A host or folder without files. */
const EMPTY: ArchiveSource = {
  list: async () => ({ days: new Map(), months: new Map() }),
  withDay: async () => undefined,
  find: async () => undefined,
  hasLater: async () => undefined,
};

test.each([
  ['archive', 'pending_archive'],
  ['dir:/files', 'retention'],
] as const)(
  'a recent day without a file, by --source %s, is planned as %s',
  async (source, gapClass) => {
    const policy = { source, historyMs: Infinity, nowMs: DAY + 3 * DAY_MS };
    const days = [{ dayMs: DAY, hours: [DAY] }];
    const plan = await planSources(
      EMPTY,
      { series: SERIES, days, policy },
      AbortSignal.timeout(1_000),
    );
    expect(plan.unreachable).toEqual([{ gapClass, hours: 1, days: [DAY] }]);
  },
);
