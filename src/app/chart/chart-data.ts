import { widenToHours } from '../../domain/time/hour.ts';
import type { ChartData, ChartReads } from '../../ports/chart-data.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { askBars } from './chart-bars.ts';
import { askTiers, type TiersDeps } from './chart-tiers.ts';
import { assertStored } from './assert-stored.ts';
import { tradeAnswers, type TradesDeps } from './chart-trades.ts';
import { coverageRuns } from './coverage-runs.ts';

interface ChartDeps extends TiersDeps, Pick<TradesDeps, 'trades' | 'prunings'> {
  readonly ledger: Pick<Ledger, 'records' | 'knows' | 'totals' | 'openGaps'>;
  readonly series: ChartData['series'];
  readonly reads: ChartReads;
}

export function createChartData(deps: ChartDeps): ChartData {
  const { ledger, series, reads } = deps;
  return {
    series,
    bars: (series, request) => askBars(deps, series, request),
    tiers: (series, request, tier) => askTiers(deps, series, request, tier),
    async coverage(series, range) {
      await assertStored(deps, series);
      const hours = widenToHours(range);
      const { rows, sql } = await reads.judgedHours(series, hours);
      return { rows: coverageRuns(rows, hours), sql };
    },
    async gaps(series, range) {
      await assertStored(deps, series);
      const hours = widenToHours(range);
      const rows = await ledger.openGaps(series, hours);
      return { rows, sql: reads.gapsStatement(series, hours) };
    },
    async restatements(series, range) {
      await assertStored(deps, series);
      return reads.restatements(series, range);
    },
    ...tradeAnswers(deps),
  };
}
