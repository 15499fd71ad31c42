import { CdvaultError } from '../../domain/errors.ts';
import { marketName, type Series } from '../../domain/market.ts';
import type { Ledger } from '../../ports/ledger.ts';

/** @throws CdvaultError UNKNOWN_SYMBOL */
export async function assertStored(
  { ledger }: { readonly ledger: Pick<Ledger, 'knows'> },
  series: Series,
): Promise<void> {
  if (await ledger.knows(series)) return;
  throw new CdvaultError(
    'UNKNOWN_SYMBOL',
    `no data of ${series.symbol} (${marketName(series.market)}) is stored`,
    { advice: 'Run cdvault backfill to fetch it, or cdvault status to list stored series.' },
  );
}
