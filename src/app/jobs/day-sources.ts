import { monthOf } from '../../domain/archive/archive-name.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { type DayEdge, type DayWork, suitsArchive } from '../../domain/plan/plan.ts';
import { sourceFolder } from '../../domain/plan/source-choice.ts';
import { stretchesOf } from '../../domain/plan/stretch.ts';
import type { ArchiveListing, ArchiveSource, ListedFile } from '../../ports/archive-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JobPayloads } from '../../ports/job-queue.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { askBriefly } from '../witness.ts';

export interface DaySourcesDeps {
  readonly source: Pick<TradeSource, 'historyMs' | 'isTrading'>;
  readonly archive: ArchiveSource;
  /** Archive files in a folder of this machine. */
  readonly folder: (path: string) => ArchiveSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** A text file is about this many times as large as its zip. */
const ZIP_RATIO = 5;

/** Decides where the days of a run come from, and which of them one job takes from their files. */
export class DaySources {
  readonly #deps: DaySourcesDeps;
  readonly #request: JobPayloads['feed'];
  /** Asked once per run, and only when something depends on it. */
  #mayBeForgotten: Promise<boolean> | undefined;
  #month: { readonly startMs: number; readonly names: ReadonlyMap<number, string> } | undefined;

  constructor(deps: DaySourcesDeps, request: JobPayloads['feed']) {
    this.#deps = deps;
    this.#request = request;
  }

  /** The day with its source and its stretch. */
  async of(day: DayWork, signal: AbortSignal): Promise<DayWork> {
    if (!(await this.#isByFile(day, signal))) return day;
    const { source = 'auto' } = this.#request;
    const stretch = await this.#stretchOf(day.dayMs, signal);
    return {
      ...day,
      fromArchive: source,
      edges: edgesOf(day, this.#request),
      ...(stretch !== undefined && { stretch }),
    };
  }

  async #isByFile(day: DayWork, signal: AbortSignal): Promise<boolean> {
    const { market, source = 'auto' } = this.#request;
    const historyMs = this.#deps.source.historyMs(market);
    const policy = { source, historyMs, nowMs: this.#deps.clock.nowMs() };
    if (suitsArchive(day, policy)) return true;
    // A few hours cost less by REST, unless it no longer serves the symbol.
    if (!suitsArchive(day, { ...policy, mayBeForgotten: true })) return false;
    this.#mayBeForgotten ??= mayBeForgotten(this.#deps, this.#request, signal);
    return this.#mayBeForgotten;
  }

  async #stretchOf(dayMs: number, signal: AbortSignal): Promise<string | undefined> {
    const { startMs } = monthOf(dayMs);
    if (this.#month?.startMs !== startMs)
      this.#month = { startMs, names: await this.#stretchesOfMonth(startMs, signal) };
    return this.#month.names.get(dayMs);
  }

  /** Without a listing each day stands alone. */
  async #stretchesOfMonth(
    monthMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, string>> {
    const { startMs, endMs } = this.#request;
    const month = monthOf(monthMs);
    // A listing is not worth its request for a single day.
    if (Math.min(endMs, month.endMs) - Math.max(startMs, month.startMs) <= DAY_MS) return new Map();
    const listing = await this.#list(month, signal);
    if (listing === undefined) return new Map();
    const ofMonth = listing.months.get(month.startMs);
    const share =
      ofMonth === undefined
        ? undefined
        : (zipBytes(ofMonth) * DAY_MS) / (month.endMs - month.startMs);
    return stretchesOf(month.startMs, (dayMs) => {
      const daily = listing.days.get(dayMs);
      return daily === undefined ? share : zipBytes(daily);
    });
  }

  async #list(range: TimeRange, signal: AbortSignal): Promise<ArchiveListing | undefined> {
    const { market, symbol, source = 'auto' } = this.#request;
    const path = sourceFolder(source);
    const archive = path === undefined ? this.#deps.archive : this.#deps.folder(path);
    const listing = await askBriefly(signal, (briefly) =>
      archive.list({ market, symbol }, range, briefly),
    );
    if (!(listing instanceof CdvaultError)) return listing;
    this.#deps.log.warn(
      { symbol, error: listing.message },
      'could not list the archive files; their days are taken one by one',
    );
    return undefined;
  }
}

function zipBytes({ name, bytes }: ListedFile): number {
  return name.endsWith('.csv') ? bytes / ZIP_RATIO : bytes;
}

/**
 * Whether the symbol is no longer traded, so that REST may not serve it. If the exchange can't be asked,
 * it can't serve the hours either, and their jobs will report that.
 */
async function mayBeForgotten(
  { source, log }: DaySourcesDeps,
  series: Series,
  signal: AbortSignal,
): Promise<boolean> {
  const isTrading = await askBriefly(signal, (briefly) => source.isTrading(series, briefly));
  if (!(isTrading instanceof CdvaultError)) return !isTrading;
  log.warn(
    { symbol: series.symbol, error: isTrading.message },
    'could not ask whether the exchange still trades the symbol',
  );
  return false;
}

function edgesOf({ dayMs }: DayWork, { startMs, endMs }: JobPayloads['feed']): DayEdge[] {
  return [
    ...(dayMs <= startMs ? (['before'] as const) : []),
    ...(dayMs + DAY_MS >= endMs ? (['after'] as const) : []),
  ];
}
