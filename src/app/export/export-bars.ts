import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { ExportedDay, ExportedFile, ExportRequest } from '../../domain/proof/export.ts';
import type { DayReport } from '../../domain/proof/finding.ts';
import { isoDay, isoHour } from '../../domain/time/hour.ts';
import type { Interval } from '../../domain/time/interval.ts';
import type { ExactBar, StoredBars } from '../../ports/bar-store.ts';
import type { ExportFolder } from '../../ports/export-folder.ts';
import { assertNoMismatch } from '../verify/proven-range.ts';
import { type VerifyDeps, verifyRange } from '../verify/verify-range.ts';

/**
 * Writes a file of bars for each day. The day is verified like by `verify`, but without candles and
 * archive files, which are not the store's. The rows that were compared with the second computation are
 * the ones that are written.
 * @throws CdvaultError STORE_MISMATCH, NOT_PROVEN where bars are older than their hours
 */
export async function* exportBars(
  deps: VerifyDeps,
  request: ExportRequest & { readonly what: 'bars' },
  folder: ExportFolder,
  signal: AbortSignal,
): AsyncGenerator<ExportedDay> {
  const compared = new ComparedBars(deps.bars, request.interval);
  const verified = verifyRange(
    { ...deps, bars: compared },
    { series: request, range: request.range },
    { klines: false, archives: false },
    signal,
  );
  for await (const day of verified) {
    const barsCompared = assertVerified(request, day);
    const { startMs, endMs } = day.range;
    const bars = compared.last.filter(({ openMs }) => openMs >= startMs && openMs < endMs);
    const file = await folder.openBars(day.dayMs);
    await file.add(bars);
    yield {
      file: { dayMs: day.dayMs, ...sumsOf(bars), ...(await file.finish()) },
      hours: day.hashes,
      barsCompared,
    };
  }
}

/** @returns how many bars were compared */
function assertVerified(request: ExportRequest, { dayMs, findings, bars }: DayReport): number {
  // Only hour and kind; `verify` prints the details, which are long.
  const named = findings.map(({ kind, atMs }) => `${isoHour(atMs)} (${kind})`);
  assertNoMismatch(request, [...new Set(named)]);
  if (bars.state === 'compared') return bars.bars;
  throw new CdvaultError(
    'NOT_PROVEN',
    `bars of ${request.symbol} ${isoDay(dayMs)} are older than their hours`,
  );
}

/** Reads bars for verification, and keeps the last ones read of one interval. */
class ComparedBars implements StoredBars {
  readonly #bars: StoredBars;
  readonly #interval: Interval;
  last: readonly ExactBar[] = [];

  constructor(bars: StoredBars, interval: Interval) {
    this.#bars = bars;
    this.#interval = interval;
  }

  get tiers(): StoredBars['tiers'] {
    return this.#bars.tiers;
  }

  async bars(...[series, interval, range]: Parameters<StoredBars['bars']>): Promise<ExactBar[]> {
    const bars = await this.#bars.bars(series, interval, range);
    if (interval === this.#interval) this.last = bars;
    return bars;
  }

  days: StoredBars['days'] = (...asked) => this.#bars.days(...asked);

  tierBars: StoredBars['tierBars'] = (...asked) => this.#bars.tierBars(...asked);

  midnightBases: StoredBars['midnightBases'] = (...asked) => this.#bars.midnightBases(...asked);
}

function sumsOf(
  bars: readonly ExactBar[],
): Omit<ExportedFile, 'dayMs' | 'path' | 'bytes' | 'sha256'> {
  const sum = (column: 'buyVolume' | 'sellVolume') =>
    formatDecimal(
      bars.reduce((e8, bar) => e8 + parseDecimal(bar[column], QTY_SCALE), 0n),
      QTY_SCALE,
    );
  const traded = bars.filter(({ firstId }) => firstId !== undefined);
  return {
    rows: bars.length,
    firstId: traded[0]?.firstId,
    lastId: traded.at(-1)?.lastId,
    buyVolume: sum('buyVolume'),
    sellVolume: sum('sellVolume'),
  };
}
