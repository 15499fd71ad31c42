import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { ExportedDay, ExportedFile, ExportRequest } from '../../domain/proof/export.ts';
import type { HourContent } from '../../domain/proof/fingerprint.ts';
import { DAY_MS, daysOf, HOUR_MS, hoursOf, isoHour } from '../../domain/time/hour.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import type { TradeStore } from '../../ports/trade-store.ts';
import { assertNoMismatch } from '../verify/proven-range.ts';
import { verifyHour } from '../verify/verify-trades.ts';

interface TradesToExport {
  readonly request: ExportRequest;
  /** Ledger rows of the range and around it; every hour of the range is proven. */
  readonly records: ReadonlyMap<number, SliceRecord>;
}

/**
 * Writes a file of trades for each day: all rows of its hours' runs of ids, in id order, including those
 * that the exchange has marked invalid. Each hour is verified from the same rows that are written: ids,
 * count, content hash, and that it meets its neighbours. One hour of rows is in memory at a time.
 * @throws CdvaultError STORE_MISMATCH
 */
export async function* exportTrades(
  trades: Pick<TradeStore, 'read'>,
  { request, records }: TradesToExport,
  folder: ExportFolder,
  signal: AbortSignal,
): AsyncGenerator<ExportedDay> {
  const { startMs, endMs } = request.range;
  for (const dayMs of daysOf(request.range)) {
    const file = await folder.openTrades(dayMs);
    const sums = new FileSums();
    const hours: HourContent[] = [];
    const asked = { startMs: Math.max(dayMs, startMs), endMs: Math.min(dayMs + DAY_MS, endMs) };
    for (const hourMs of hoursOf(asked)) {
      signal.throwIfAborted();
      const record = records.get(hourMs);
      if (record === undefined) continue;
      const around = {
        before: records.get(hourMs - HOUR_MS),
        next: records.get(hourMs + HOUR_MS),
      };
      const { run, contentHash, findings } = await verifyHour(trades, record, around);
      assertNoMismatch(
        request,
        findings.map(({ atMs, detail }) => `${isoHour(atMs)} (${detail})`),
      );
      await file.add(run);
      sums.add(run);
      hours.push({ hourMs, rows: run.length, contentHash });
    }
    yield {
      file: { dayMs, ...sums.facts, ...(await file.finish()) },
      hours,
      barsCompared: 0,
    };
  }
}

/** The facts about a file for the manifest, computed from its rows. */
class FileSums {
  #rows = 0;
  #buyE8 = 0n;
  #sellE8 = 0n;
  #firstId: number | undefined;
  #lastId: number | undefined;

  /** @param trades ascending by id over all calls */
  add(trades: readonly AggTrade[]): void {
    this.#rows += trades.length;
    this.#firstId ??= trades[0]?.aggId;
    this.#lastId = trades.at(-1)?.aggId ?? this.#lastId;
    for (const trade of trades) {
      if (isInvalid(trade)) continue;
      const qtyE8 = parseDecimal(trade.qty, QTY_SCALE);
      if (trade.isBuyerMaker) this.#sellE8 += qtyE8;
      else this.#buyE8 += qtyE8;
    }
  }

  get facts(): Omit<ExportedFile, 'dayMs' | 'path' | 'bytes' | 'sha256'> {
    return {
      rows: this.#rows,
      firstId: this.#firstId,
      lastId: this.#lastId,
      buyVolume: formatDecimal(this.#buyE8, QTY_SCALE),
      sellVolume: formatDecimal(this.#sellE8, QTY_SCALE),
    };
  }
}
