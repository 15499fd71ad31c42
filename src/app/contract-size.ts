import type { Contract } from '../domain/bars/contract.ts';
import { type Series, tradesContracts } from '../domain/market.ts';
import type { Clock } from '../ports/clock.ts';
import type { Leases } from '../ports/lease.ts';
import type { SeriesCatalogue } from '../ports/ledger.ts';
import type { TradeSource } from '../ports/trade-source.ts';
import { changeSeries } from './leases.ts';

/** The recorded contract size; undefined for a series that does not trade contracts. */
export async function knownContract(
  catalogue: Pick<SeriesCatalogue, 'find'>,
  series: Series,
): Promise<Contract | undefined> {
  if (!tradesContracts(series.market)) return undefined;
  return { size: (await catalogue.find(series))?.contractSize };
}

/** The same; a size that is not on record yet is requested from the exchange and pinned. */
export async function pinnedContract(
  deps: {
    readonly catalogue: SeriesCatalogue;
    readonly source: TradeSource;
    readonly leases: Leases;
    readonly clock: Clock;
  },
  series: Series,
  signal: AbortSignal,
): Promise<Contract | undefined> {
  const known = await knownContract(deps.catalogue, series);
  if (known === undefined || known.size !== undefined) return known;
  const size = await deps.source.contractSize(series, signal);
  if (size === undefined) return known;
  await changeSeries(deps, series, () => deps.catalogue.pinContractSize(series, size), signal);
  return knownContract(deps.catalogue, series);
}
