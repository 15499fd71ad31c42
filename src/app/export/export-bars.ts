import { holdsReach, isBuiltFrom } from '../../domain/bars/day.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { DataOfBars, ExportedDay, ExportRequest } from '../../domain/proof/export.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS, daysOf, floorTo, hoursOf, isoDay, isoHour } from '../../domain/time/hour.ts';
import type { ExactBar, StoredBars } from '../../ports/bar-store.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { ParquetExport } from '../../ports/parquet-export.ts';
import { unlikeLedger, volume } from '../verify/bars-by-ledger.ts';
import { assertNoMismatch } from '../verify/proven-range.ts';

interface ExportBarsDeps {
  readonly bars: Pick<StoredBars, 'days' | 'bars'>;
  readonly parquet: Pick<ParquetExport, 'bars'>;
  readonly folder: Pick<ExportFolder, 'write' | 'differingBars'>;
}

interface BarsToExport {
  readonly request: ExportRequest & DataOfBars;
  /** Ledger rows of the range and around it; every hour of the range is proven. */
  readonly records: ReadonlyMap<number, SliceRecord>;
}

/**
 * Writes a file of bars for each day, without reading the trades again. The bars must have been built from
 * what the ledger proved, be there without a hole, add up to the ledger's sums in each hour, and follow
 * one from the other; the written file must hold exactly these bars.
 * @throws CdvaultError STORE_MISMATCH, NOT_PROVEN where bars are older than their hours
 */
export async function* exportBars(
  deps: ExportBarsDeps,
  { request, records }: BarsToExport,
  signal: AbortSignal,
): AsyncGenerator<ExportedDay> {
  const { startMs, endMs } = request.range;
  for (const dayMs of daysOf(request.range)) {
    signal.throwIfAborted();
    const asked = { startMs: Math.max(dayMs, startMs), endMs: Math.min(dayMs + DAY_MS, endMs) };
    const hours = [...hoursOf(asked)].flatMap((hourMs) => records.get(hourMs) ?? []);
    const next = records.get(asked.endMs);
    await assertBuilt(deps, request, hours, next);
    const bars = await deps.bars.bars(request, request.interval, asked);
    const counted = next === undefined ? hours : [...hours, next];
    const wrong = unlikeLedger(request.interval, asked, counted, bars);
    assertNoMismatch(request, [
      ...new Set(wrong.map(({ atMs, what }) => `${isoHour(atMs)} (${what})`)),
    ]);
    const file = await deps.folder.write(dayMs, deps.parquet.bars(request, request, asked, signal));
    const differing = await deps.folder.differingBars(dayMs, bars);
    assertNoMismatch(
      request,
      differing.map((column) => `${isoDay(dayMs)} (${column} of the written file)`),
    );
    yield {
      file: { dayMs, ...file, ...factsOf(bars) },
      hours: hours.map(({ hourMs, rows, contentHash }) => ({ hourMs, rows, contentHash })),
    };
  }
}

/** @param next the ledger row after these hours: some of its rows may lie in the last one */
async function assertBuilt(
  { bars }: Pick<ExportBarsDeps, 'bars'>,
  request: ExportRequest,
  hours: readonly SliceRecord[],
  next: SliceRecord | undefined,
): Promise<void> {
  const dayMs = floorTo(hours[0]?.hourMs ?? 0, DAY_MS);
  const [built] = await bars.days(request, { startMs: dayMs, endMs: dayMs + DAY_MS });
  const inputs = built?.isCurrent === true ? built.inputs : '';
  const isReached = next === undefined || next.hourMs % DAY_MS !== 0 || holdsReach(inputs, next);
  if (isReached && hours.every((hour) => isBuiltFrom(inputs, hour))) return;
  throw new CdvaultError(
    'NOT_PROVEN',
    `bars of ${request.symbol} ${isoDay(dayMs)} are older than their hours`,
  );
}

function factsOf(bars: readonly ExactBar[]) {
  const traded = bars.filter(({ firstId }) => firstId !== undefined);
  return {
    rows: bars.length,
    firstId: traded[0]?.firstId,
    lastId: traded.at(-1)?.lastId,
    buyVolume: formatDecimal(volume(bars, 'buyVolume'), QTY_SCALE),
    sellVolume: formatDecimal(volume(bars, 'sellVolume'), QTY_SCALE),
  };
}
