import { hoursOf, isoHour, type TimeRange } from '../../domain/time/hour.ts';
import {
  type Fingerprint,
  fingerprintOf,
  type HourContent,
} from '../../domain/proof/fingerprint.ts';
import type { Series } from '../../domain/market.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Prunings } from '../../ports/prunings.ts';
import type { TradeScan } from '../../ports/trade-scan.ts';
import { assertNotPruned } from '../assert-not-pruned.ts';
import { assertNoMismatch, provenRecords } from './proven-range.ts';
import { verifyHours } from './verify-trades.ts';

interface FingerprintDeps {
  readonly ledger: Pick<Ledger, 'records'>;
  readonly scan: TradeScan;
  readonly prunings: Pick<Prunings, 'days'>;
  /** Called after each hour that has been read. */
  readonly onHour?: (hour: HourContent) => void;
}

/**
 * The fingerprint of a range, computed from the stored trades themselves. The ledger says which ids
 * belong to an hour and what they must hash to.
 * @param range whole hours
 * @throws CdvaultError NOT_PROVEN, TRADES_PRUNED, STORE_MISMATCH, and the store's own
 */
export async function fingerprintRange(
  deps: FingerprintDeps,
  series: Series,
  range: TimeRange,
  signal: AbortSignal,
): Promise<Fingerprint> {
  const records = await provenRecords(deps.ledger, series, range);
  await assertNotPruned(deps, series, range);
  const contents: HourContent[] = [];
  const mismatches: string[] = [];
  const hours = verifyHours(deps.scan, { records, hours: hoursOf(range) }, signal);
  for await (const hour of hours) {
    const { hourMs, rows, contentHash, findings } = hour;
    contents.push({ hourMs, rows, contentHash });
    deps.onHour?.(hour);
    // What the ledger says of neighbours concerns no row.
    const details = findings
      .filter(({ kind }) => kind !== 'neighbours_differ')
      .map(({ detail }) => detail);
    if (details.length > 0) mismatches.push(`${isoHour(hourMs)} (${details.join('; ')})`);
  }
  assertNoMismatch(series, mismatches);
  return fingerprintOf(series, contents);
}
