import type { ExportedFile, ExportManifest, ExportRequest } from '../../domain/proof/export.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { fingerprintOf } from '../../domain/proof/fingerprint.ts';
import { floorTo, HOUR_MS } from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { ParquetExport } from '../../ports/parquet-export.ts';
import type { Prunings } from '../../ports/prunings.ts';
import type { StoredBars } from '../../ports/bar-store.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { assertNotPruned } from '../assert-not-pruned.ts';
import { provenRecords } from '../verify/proven-range.ts';
import { exportBars } from './export-bars.ts';
import { exportTrades } from './export-trades.ts';

interface ExportDeps {
  readonly ledger: Pick<Ledger, 'records'>;
  readonly trades: Pick<TradeStore, 'readBackHours'>;
  readonly bars: Pick<StoredBars, 'days' | 'bars'>;
  readonly parquet: ParquetExport;
  readonly prunings: Pick<Prunings, 'days'>;
  readonly clock: Clock;
  readonly codeVersion: string;
}

interface ExportTarget {
  readonly folder: ExportFolder;
  /** Called with the file of each day that is written. */
  readonly onDay?: (file: ExportedFile) => void;
  /** Called with each hour of trades that has been read back. */
  readonly onHour?: (hour: { readonly hourMs: number; readonly rows: number }) => void;
}

/**
 * Writes a proven range of a series into a folder: a file for each day, and a manifest with contents and
 * hashes. The store makes the files; each is read back, and what it holds is compared with the ledger.
 * @throws CdvaultError USAGE, NOT_PROVEN, TRADES_PRUNED, STORE_MISMATCH, EXPORT_UNWRITABLE, and the store's own; the
 * folder is then unchanged
 */
export async function exportRange(
  deps: ExportDeps,
  request: ExportRequest,
  { folder, onDay, onHour }: ExportTarget,
  signal: AbortSignal,
): Promise<ExportManifest> {
  try {
    assertWholeBars(request);
    const records = await provenRecords(deps.ledger, request, request.range);
    if (request.what === 'trades') await assertNotPruned(deps, request, request.range);
    const days = await Array.fromAsync(
      request.what === 'trades'
        ? exportTrades({ ...deps, folder, onHour }, { request, records }, signal)
        : exportBars({ ...deps, folder }, { request, records }, signal),
      (day) => {
        onDay?.(day.file);
        return day;
      },
    );
    const manifest: ExportManifest = {
      ...request,
      files: days.map(({ file }) => file),
      fingerprint: fingerprintOf(
        request,
        days.flatMap(({ hours }) => hours),
      ),
      ...neighboursOf(request, records),
      codeVersion: deps.codeVersion,
      createdAtMs: deps.clock.nowMs(),
    };
    await folder.publish(manifest);
    return manifest;
  } finally {
    await folder.discard();
  }
}

/** The range must not cut a bar. */
function assertWholeBars(request: ExportRequest): void {
  if (request.what === 'trades') return;
  const intervalMs = Math.max(HOUR_MS, INTERVAL_MS[request.interval]);
  const { startMs, endMs } = request.range;
  if (startMs % intervalMs === 0 && endMs % intervalMs === 0) return;
  const legal = [floorTo(startMs, intervalMs), -floorTo(-endMs, intervalMs)].map((timeMs) =>
    new Date(timeMs).toISOString(),
  );
  throw new CdvaultError('USAGE', `the range cuts a ${request.interval} bar`, {
    advice: `Give --from ${legal[0]} --to ${legal[1]}, or a shorter --interval.`,
  });
}

function neighboursOf(
  { range }: ExportRequest,
  records: ReadonlyMap<number, SliceRecord>,
): Pick<ExportManifest, 'before' | 'after'> {
  return {
    before: records.get(range.startMs)?.prev,
    after: records.get(range.endMs - HOUR_MS)?.next,
  };
}
