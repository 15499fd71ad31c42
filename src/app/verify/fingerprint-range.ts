import { contentHasher } from '../../domain/trade/content-hash.ts';
import {
  type Fingerprint,
  fingerprintOf,
  type HourContent,
} from '../../domain/proof/fingerprint.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import { HOUR_MS, hoursOf, hourWindowUs, isoHour, type TimeRange } from '../../domain/time/hour.ts';
import { claims, reachesBack, type SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { assertNoMismatch, provenRecords } from './proven-range.ts';

interface FingerprintDeps {
  readonly ledger: Pick<Ledger, 'records'>;
  readonly trades: Pick<TradeStore, 'read'>;
}

/**
 * The fingerprint of a range, computed from the stored trades themselves. The ledger says which ids
 * belong to an hour and what they must hash to.
 * @param range whole hours
 * @throws CdvaultError NOT_PROVEN, STORE_MISMATCH, and the store's own
 */
export async function fingerprintRange(
  deps: FingerprintDeps,
  series: Series,
  range: TimeRange,
): Promise<Fingerprint> {
  const records = await provenRecords(deps.ledger, series, range);
  const contents: HourContent[] = [];
  const mismatches: string[] = [];
  for (const hourMs of hoursOf(range)) {
    const record = records.get(hourMs);
    if (record === undefined) continue;
    const stored = await readHour(deps.trades, record, records.get(hourMs + HOUR_MS));
    contents.push(stored);
    const mismatch = mismatchOf(record, stored);
    if (mismatch !== undefined) mismatches.push(`${isoHour(hourMs)} (${mismatch})`);
  }
  assertNoMismatch(series, mismatches);
  return fingerprintOf(series, contents);
}

interface StoredHour extends HourContent {
  /** Rows whose time lies in the hour and whose id belongs to no hour. */
  readonly strangers: number;
}

/** @param next the next hour; the time of some of its rows may lie in this one */
async function readHour(
  trades: Pick<TradeStore, 'read'>,
  record: SliceRecord,
  next: SliceRecord | undefined,
): Promise<StoredHour> {
  const { startUs, endUs } = hourWindowUs(record.hourMs);
  const searchUs = record.reachBack.rows === 0 ? 0 : BACKWARD_BOUND_MS * 1000;
  const hasher = contentHasher();
  let [rows, strangers] = [0, 0];
  for await (const trade of trades.read(record, { startUs: startUs - searchUs, endUs })) {
    const { aggId, timeUs } = trade;
    if (claims(record, aggId)) {
      hasher.update(trade);
      rows += 1;
    } else if (timeUs >= startUs && (next === undefined || !reachesBack(next, aggId))) {
      strangers += 1;
    }
  }
  return { hourMs: record.hourMs, rows, contentHash: hasher.digest(), strangers };
}

function mismatchOf(record: SliceRecord, stored: StoredHour): string | undefined {
  if (stored.strangers > 0) return `rows that belong to no hour: ${stored.strangers}`;
  if (stored.rows !== record.rows) return `${stored.rows} rows instead of ${record.rows}`;
  return stored.contentHash === record.contentHash ? undefined : 'other content';
}
