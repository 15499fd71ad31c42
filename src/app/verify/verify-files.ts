import type { Finding } from '../../domain/proof/finding.ts';
import { DAY_MS } from '../../domain/time/hour.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Series, SeriesDay } from '../../domain/market.ts';
import type { ArchiveFiles } from '../../ports/archive-files.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';

/**
 * Whether the exchange still has the file that a day was loaded from. One request without weight; none for
 * a day that was not loaded from a downloaded file.
 * @throws CdvaultError ARCHIVE_UNREACHABLE
 */
export async function verifyFile(
  { archive, files }: { readonly archive: ArchiveSource; readonly files: ArchiveFiles },
  { market, symbol, dayMs }: SeriesDay,
  records: Iterable<SliceRecord>,
  signal: AbortSignal,
): Promise<Finding[]> {
  const series: Series = { market, symbol };
  if (![...records].some(({ source }) => source === 'archive')) return [];
  const seen = await files.records(series, { startMs: dayMs, endMs: dayMs + DAY_MS });
  const taken = seen.findLast(({ etag }) => etag !== undefined);
  if (taken === undefined) return [];
  const now = await archive.find(series, taken.name, signal);
  // A file that was removed says nothing about the trades in it.
  if (now === undefined || now.etag === taken.etag) return [];
  const detail = `${taken.name} was loaded with ETag ${taken.etag}, the exchange now has ${now.etag}`;
  return [{ kind: 'file_replaced', atMs: dayMs, detail }];
}
