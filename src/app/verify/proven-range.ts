import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, hoursOf, isoHour, type TimeRange } from '../../domain/time/hour.ts';
import { type SliceRecord, type Verdict, verdictOf } from '../../domain/proof/ledger.ts';
import type { Series } from '../../domain/market.ts';
import type { Ledger } from '../../ports/ledger.ts';

/** At most this many are named, to fit on a screen. */
const MOST_NAMED = 20;

/**
 * Ledger rows, by hour, of a range whose hours are all proven. Includes the hour before the range, which
 * its first hour has to meet, and the hour after it, some of whose rows may lie in the range by their time.
 * @param range whole hours
 * @throws CdvaultError NOT_PROVEN with the hours that are not, and the store's own
 */
export async function provenRecords(
  ledger: Pick<Ledger, 'records'>,
  series: Series,
  range: TimeRange,
): Promise<ReadonlyMap<number, SliceRecord>> {
  const wider = { startMs: range.startMs - HOUR_MS, endMs: range.endMs + HOUR_MS };
  const found = await ledger.records(series, wider);
  const records = new Map(found.map((record) => [record.hourMs, record]));
  assertProven(series, range, records);
  return records;
}

function assertProven(
  series: Series,
  range: TimeRange,
  records: ReadonlyMap<number, SliceRecord>,
): void {
  const spans: { readonly startMs: number; hours: number; readonly why: Verdict | 'unknown' }[] =
    [];
  for (const hourMs of hoursOf(range)) {
    const record = records.get(hourMs);
    const why = record === undefined ? 'unknown' : verdictOf(record);
    if (why === 'proven') continue;
    const last = spans.at(-1);
    if (last?.why === why && last.startMs + last.hours * HOUR_MS === hourMs) last.hours += 1;
    else spans.push({ startMs: hourMs, hours: 1, why });
  }
  if (spans.length === 0) return;
  const texts = spans.map(({ startMs, hours, why }) =>
    hours === 1
      ? `${isoHour(startMs)} (${why})`
      : `${hours} hours from ${isoHour(startMs)} (${why})`,
  );
  throw new CdvaultError('NOT_PROVEN', `${series.symbol} has unproven hours: ${named(texts)}`);
}

/** @throws CdvaultError STORE_MISMATCH if there is any mismatch */
export function assertNoMismatch({ symbol }: Series, mismatches: readonly string[]): void {
  if (mismatches.length === 0) return;
  throw new CdvaultError(
    'STORE_MISMATCH',
    `the store no longer matches what was proven of ${symbol}: ${named(mismatches)}`,
  );
}

function named(texts: readonly string[]): string {
  const rest = texts.length - MOST_NAMED;
  return `${texts.slice(0, MOST_NAMED).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
