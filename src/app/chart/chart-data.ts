import { marketName, type Series, seriesKey, tradesContracts } from '../../domain/market.ts';
import { widenToHours } from '../../domain/time/hour.ts';
import type { ChartData, ChartReads, ChartSeries } from '../../ports/chart-data.ts';
import type { Ledger, SeriesCatalogue, SeriesCoverage, SeriesFacts } from '../../ports/ledger.ts';
import { askBars } from './chart-bars.ts';
import { askTiers, type TiersDeps } from './chart-tiers.ts';
import { assertStored } from './assert-stored.ts';
import { tradeAnswers, type TradesDeps } from './chart-trades.ts';
import { coverageRuns } from './coverage-runs.ts';

interface ChartDeps extends TiersDeps, Pick<TradesDeps, 'trades'> {
  readonly ledger: Pick<Ledger, 'records' | 'knows' | 'totals' | 'openGaps'>;
  readonly overview: Ledger['overview'];
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly reads: ChartReads;
}

export function createChartData(deps: ChartDeps): ChartData {
  const { ledger, overview, catalogue, reads } = deps;
  return {
    async series() {
      const [coverage, facts] = await Promise.all([overview(), catalogue.all()]);
      const byKey = new Map(facts.map((fact) => [seriesKey(fact), fact]));
      const rows = coverage
        .map((stored) => withFacts(stored, byKey.get(seriesKey(stored))))
        .toSorted(byMarketAndSymbol);
      return { rows, sql: reads.seriesStatement };
    },
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

function withFacts(stored: SeriesCoverage, facts: SeriesFacts | undefined): ChartSeries {
  return {
    ...stored,
    unit: tradesContracts(stored.market) ? 'contracts' : 'base',
    contractSize: facts?.contractSize,
    originMs: facts?.originMs,
    isScheduled: facts?.scheduledFromMs !== undefined,
  };
}

function byMarketAndSymbol(left: Series, right: Series): number {
  const [first, second] = [marketName(left.market), marketName(right.market)];
  if (first !== second) return first < second ? -1 : 1;
  return left.symbol < right.symbol ? -1 : 1;
}
