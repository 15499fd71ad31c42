import { dayInputs, holdsReach, isBuiltFrom } from '../../domain/bars/day.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { DataOfBars, ExportedDay, ExportRequest } from '../../domain/proof/export.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import {
  DAY_MS,
  daysOf,
  floorTo,
  HOUR_MS,
  hoursOf,
  isoDay,
  isoHour,
  type TimeRange,
} from '../../domain/time/hour.ts';
import { INTERVAL_MS } from '../../domain/time/interval.ts';
import type { ExactBar, StoredBars } from '../../ports/bar-store.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { ParquetExport } from '../../ports/parquet-export.ts';
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
    const wrong = [
      ...holes(request, asked, bars),
      ...wrongSums(request, dayMs, next === undefined ? hours : [...hours, next], bars),
      ...wrongLevels(bars),
    ];
    assertNoMismatch(request, [...new Set(wrong)]);
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

/** Proven hours have a final bar for each interval. */
function holes(
  { interval }: DataOfBars,
  { startMs, endMs }: TimeRange,
  bars: readonly ExactBar[],
): string[] {
  const final = new Set(
    bars.filter(({ status }) => status === 'final').map(({ openMs }) => openMs),
  );
  const missing: string[] = [];
  for (let openMs = startMs; openMs < endMs; openMs += INTERVAL_MS[interval])
    if (!final.has(openMs)) missing.push(`${isoHour(openMs)} (a bar is missing or not final)`);
  return missing;
}

/** The bars of each hour, or the hours of each bar, have the trades that the ledger counted. */
function wrongSums(
  { interval }: DataOfBars,
  dayMs: number,
  records: readonly SliceRecord[],
  bars: readonly ExactBar[],
): string[] {
  const spanMs = Math.max(HOUR_MS, INTERVAL_MS[interval]);
  const barsBySpan = Map.groupBy(bars, ({ openMs }) => floorTo(openMs, spanMs));
  // The row after the last hour is given for its rows in that hour only.
  const hours = (dayInputs(dayMs, records)?.hours ?? []).filter(({ hourMs }) =>
    barsBySpan.has(floorTo(hourMs, spanMs)),
  );
  const hoursBySpan = Map.groupBy(hours, ({ hourMs }) => floorTo(hourMs, spanMs));
  return [...barsBySpan].flatMap(([openMs, ours]) => {
    const proven = hoursBySpan.get(openMs) ?? [];
    const isSame =
      volume(ours, 'buyVolume') === proven.reduce((sum, { buyE8 }) => sum + buyE8, 0n) &&
      volume(ours, 'sellVolume') === proven.reduce((sum, { sellE8 }) => sum + sellE8, 0n) &&
      ours.reduce((sum, { aggTrades }) => sum + aggTrades, 0) ===
        proven.reduce((sum, { validRows }) => sum + validRows, 0);
    return isSame ? [] : `${isoHour(openMs)} (bar_differs)`;
  });
}

/** Each close is the one before plus the delta of the bar, or the delta alone where the level starts. */
function wrongLevels(bars: readonly ExactBar[]): string[] {
  const e8 = (text: string) => parseDecimal(text, QTY_SCALE);
  return bars.flatMap((bar, index) => {
    const { openMs, levelFromMs, open, high, low, close, delta, buyVolume, sellVolume } = bar;
    const before = bars[index - 1]?.close ?? (levelFromMs === openMs ? '0' : undefined);
    const follows = before === undefined || e8(before) + e8(delta) === e8(close);
    const isInside = [open, close].every((level) => e8(low) <= e8(level) && e8(level) <= e8(high));
    const isSum = e8(buyVolume) - e8(sellVolume) === e8(delta);
    return follows && isInside && isSum ? [] : `${isoHour(openMs)} (bar_differs)`;
  });
}

function volume(bars: readonly ExactBar[], column: 'buyVolume' | 'sellVolume'): bigint {
  return bars.reduce((e8, bar) => e8 + parseDecimal(bar[column], QTY_SCALE), 0n);
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
