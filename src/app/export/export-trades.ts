import { CdvaultError } from '../../domain/errors.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { ExportedDay, ExportRequest } from '../../domain/proof/export.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import { NO_REACH, type SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS, daysOf, HOUR_MS, hoursOf, hourWindowUs, isoHour } from '../../domain/time/hour.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { ParquetExport } from '../../ports/parquet-export.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { type CheckedHour, EarlyRows, HourCheck } from '../verify/hour-check.ts';
import { assertNoMismatch } from '../verify/proven-range.ts';

interface ExportTradesDeps {
  readonly parquet: Pick<ParquetExport, 'trades'>;
  readonly trades: Pick<TradeStore, 'readBackHours'>;
  readonly folder: Pick<ExportFolder, 'write' | 'trades'>;
  readonly onHour: ((hour: CheckedHour) => void) | undefined;
}

interface TradesToExport {
  readonly request: ExportRequest;
  /** Ledger rows of the range and around it; every hour of the range is proven. */
  readonly records: ReadonlyMap<number, SliceRecord>;
}

/**
 * Writes a file of trades for each day: all rows of its hours' runs of ids, in id order, including those
 * that the exchange has marked invalid. Then the file is read back: its rows must be those that the ledger
 * proved, by id, count and content hash. One row group is in memory at a time.
 * @throws CdvaultError STORE_MISMATCH
 */
export async function* exportTrades(
  deps: ExportTradesDeps,
  { request, records }: TradesToExport,
  signal: AbortSignal,
): AsyncGenerator<ExportedDay> {
  const { startMs, endMs } = request.range;
  for (const dayMs of daysOf(request.range)) {
    signal.throwIfAborted();
    const asked = { startMs: Math.max(dayMs, startMs), endMs: Math.min(dayMs + DAY_MS, endMs) };
    const day = [...hoursOf(asked)].flatMap((hourMs) => records.get(hourMs) ?? []);
    await assertNoStrangers(deps, request, day, records);
    const file = await deps.folder.write(dayMs, deps.parquet.trades(request, idsOf(day), signal));
    const hours = await readBack(deps, dayMs, day, records);
    assertNoMismatch(
      request,
      hours.flatMap(({ findings }) =>
        findings.map(({ atMs, detail }) => `${isoHour(atMs)} (${detail})`),
      ),
    );
    const sum = (side: 'buyE8' | 'sellE8') =>
      formatDecimal(
        hours.reduce((total, hour) => total + hour[side], 0n),
        QTY_SCALE,
      );
    yield {
      file: {
        dayMs,
        ...file,
        rows: hours.reduce((total, { rows }) => total + rows, 0),
        firstId: day.find(({ first }) => first !== undefined)?.first?.id,
        lastId: day.findLast(({ last }) => last !== undefined)?.last?.id,
        buyVolume: sum('buyE8'),
        sellVolume: sum('sellE8'),
      },
      hours: hours.map(({ hourMs, rows, contentHash }) => ({ hourMs, rows, contentHash })),
    };
  }
}

/** Rows of the first run may lie in the hour before the day. */
function idsOf(day: readonly SliceRecord[]) {
  const { startUs } = hourWindowUs(day[0]?.hourMs ?? 0);
  const { endUs } = hourWindowUs(day.at(-1)?.hourMs ?? 0);
  const searchUs = (day[0]?.reachBack.rows ?? 0) === 0 ? 0 : BACKWARD_BOUND_MS * 1000;
  return {
    window: { startUs: startUs - searchUs, endUs },
    firstId: day.find(({ first }) => first !== undefined)?.first?.id ?? 0,
    lastId: day.findLast(({ last }) => last !== undefined)?.last?.id ?? -1,
  };
}

/** Proves a written file: every row of it belongs to the hour that claims its id. */
async function readBack(
  { folder, onHour }: Pick<ExportTradesDeps, 'folder' | 'onHour'>,
  dayMs: number,
  day: readonly SliceRecord[],
  records: ReadonlyMap<number, SliceRecord>,
): Promise<CheckedHour[]> {
  const checks = day.map((record) => {
    const before = records.get(record.hourMs - HOUR_MS);
    return new HourCheck(record, { before, next: undefined }, new EarlyRows());
  });
  const hours: CheckedHour[] = [];
  const end = (index: number) => {
    const hour = checks[index]?.finish();
    if (hour === undefined) return;
    hours.push(hour);
    onHour?.(hour);
  };
  let at = 0;
  for await (const trades of folder.trades(dayMs)) {
    for (let from = 0; from < trades.rows;) {
      const id = trades.aggIds[from] ?? 0;
      for (; (day[at]?.last?.id ?? -Infinity) < id && at < day.length; at += 1) end(at);
      const lastId = day[at]?.last?.id ?? Infinity;
      let to = from + 1;
      while (to < trades.rows && (trades.aggIds[to] ?? 0) <= lastId) to += 1;
      const check = checks[at];
      if (check === undefined)
        throw new CdvaultError('INTERNAL', `trade ${id} was exported without being asked for`);
      check.add(trades, from, to);
      from = to;
    }
  }
  for (; at < checks.length; at += 1) end(at);
  return hours;
}

/** Rows that belong to no hour are in no file, but show that the store is not as it was proven. */
async function assertNoStrangers(
  { trades }: Pick<ExportTradesDeps, 'trades'>,
  request: ExportRequest,
  day: readonly SliceRecord[],
  records: ReadonlyMap<number, SliceRecord>,
): Promise<void> {
  const { startUs } = hourWindowUs(day[0]?.hourMs ?? 0);
  const { endUs } = hourWindowUs(day.at(-1)?.hourMs ?? 0);
  const stored = await trades.readBackHours(request, { startUs, endUs });
  const mismatches = day.flatMap(({ hourMs, rows, reachBack }) => {
    const reaching = (records.get(hourMs + HOUR_MS)?.reachBack ?? NO_REACH).rows;
    const wanted = rows - reachBack.rows + reaching;
    const found = stored.get(hourMs)?.rows ?? 0;
    if (found <= wanted) return [];
    return `${isoHour(hourMs)} (${found - wanted} rows that no fetch has proven)`;
  });
  assertNoMismatch(request, mismatches);
}
