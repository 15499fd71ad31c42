import { marketName, type Series, seriesKey, tradesContracts } from '../../domain/market.ts';
import type { ChartData, ChartReads, ChartSeries } from '../../ports/chart-data.ts';
import type { Ledger, SeriesCatalogue, SeriesCoverage, SeriesFacts } from '../../ports/ledger.ts';

interface StoredSeriesDeps {
  readonly ledger: Pick<Ledger, 'overview'>;
  readonly catalogue: Pick<SeriesCatalogue, 'all'>;
  readonly reads: Pick<ChartReads, 'seriesStatement'>;
}

/** The list of series for all askers: those who ask while it is read share the next reading. */
export function createStoredSeries(deps: StoredSeriesDeps): ChartData['series'] {
  return joined(async () => {
    const [coverage, facts] = await Promise.all([deps.ledger.overview(), deps.catalogue.all()]);
    const byKey = new Map(facts.map((fact) => [seriesKey(fact), fact]));
    const rows = coverage
      .map((stored) => withFacts(stored, byKey.get(seriesKey(stored))))
      .toSorted(byMarketAndSymbol);
    return { rows, sql: deps.reads.seriesStatement };
  });
}

/** A look that is under way may have begun before what the caller knows of was written, so it joins the next one. */
function joined<T>(look: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  const begin = async (): Promise<T> => {
    next = undefined;
    const begun = look();
    running = begun;
    return begun;
  };
  return async () => {
    next ??= running.then(begin, begin);
    return next;
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
