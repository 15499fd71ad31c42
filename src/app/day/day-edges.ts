import { type AggTrade, nativeTimeUnit } from '../../domain/trade/agg-trade.ts';
import { monthOf } from '../../domain/archive/archive-name.ts';
import { isArchiveFault } from '../../domain/errors.ts';
import { isTooEarly, lookAhead } from '../../domain/proof/foreign-rows.ts';
import { DAY_MS, daysOf, HOUR_MS } from '../../domain/time/hour.ts';
import { type Neighbour, neighbourOf } from '../../domain/proof/ledger.ts';
import { firstAggId, type Series, type SeriesDay } from '../../domain/market.ts';
import { isWithinRest } from '../../domain/plan/plan.ts';
import type { ArchiveDay, ArchiveSource } from '../../ports/archive-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import type { FileDay } from './file-day.ts';

/** How many days without a file are searched for the nearest trade: enough to reach the next monthly file. */
export const SILENT_DAYS = 31;

/** Rows requested to check the date of one of them; the weight of a page does not depend on its length. */
const ROWS_BESIDE = 200;

interface EdgeDeps {
  readonly ledger: Ledger;
  readonly source: TradeSource;
  readonly archive: ArchiveSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Finds the trades just before the first and just after the last trade of a day's file. */
export class DayEdges {
  readonly #deps: EdgeDeps;
  readonly #series: Series;
  readonly #day: FileDay;
  readonly #signal: AbortSignal;
  #isCut = false;

  constructor(deps: EdgeDeps, day: FileDay, signal: AbortSignal) {
    this.#deps = deps;
    this.#series = { market: day.market, symbol: day.symbol };
    this.#day = day;
    this.#signal = signal;
  }

  /** Whether trades are known to follow the file's last one that should be in the file. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** The trade before the day's first: from the ledger, else from the file's publisher or the exchange. */
  async before({ id, timeUs }: Neighbour, file: ArchiveDay): Promise<Neighbour | undefined> {
    if (id === firstAggId(this.#series.market)) return undefined;
    const beforeMs = this.#day.dayMs - HOUR_MS;
    const record = await this.#deps.ledger.record(this.#series, beforeMs);
    const known = record?.last ?? record?.prev;
    if (known?.id === id - 1) return known;
    if (file.before?.id === id - 1) return file.before;
    if (this.asksRest(beforeMs)) {
      const page = await this.#ask(Math.max(firstAggId(this.#series.market), id - ROWS_BESIDE));
      const row = page.find(({ aggId }) => aggId === id - 1);
      const earlier = page.filter(({ aggId }) => aggId < id - 1).map((trade) => trade.timeUs);
      // A row with a wrong date proves nothing; its hour is fetched by REST.
      if (
        row !== undefined &&
        !isTooEarly(row.timeUs, Math.max(...earlier)) &&
        !isTooEarly(timeUs, row.timeUs)
      )
        return neighbourOf(row);
    }
    if (this.asksRest(beforeMs) || this.#day.edges?.includes('before') !== true) return undefined;
    const trade = await this.#edgeTrade('before', id - 1);
    return trade === undefined ? undefined : neighbourOf(trade);
  }

  /** The trade after the day's last. If that trade lies in this day, the file is cut. */
  async after({ id, timeUs }: Neighbour, file: ArchiveDay): Promise<AggTrade | undefined> {
    const endMs = this.#day.dayMs + DAY_MS;
    if (file.after?.id === id + 1) return namedOnly(file.after);
    if (this.asksRest(endMs - HOUR_MS)) {
      const page = await this.#ask(id + 1);
      const [row] = page;
      const ids = page.map(({ aggId }) => aggId);
      const times = page.map((trade) => trade.timeUs);
      if (lookAhead(ids, times, 0, timeUs).isLate) return undefined;
      if (row?.aggId === id + 1 && row.timeUs >= endMs * 1000) return row;
      this.#isCut = row !== undefined;
    }
    if (this.asksRest(endMs - HOUR_MS) || this.#day.edges?.includes('after') !== true)
      return undefined;
    const next = await this.#edgeTrade('after', id + 1);
    this.#isCut = next !== undefined && next.aggId > id + 1;
    return next;
  }

  asksRest(hourMs: number): boolean {
    const { source, clock } = this.#deps;
    const historyMs = source.historyMs(this.#series.market);
    return isWithinRest(hourMs, { historyMs, nowMs: clock.nowMs() });
  }

  /**
   * From the file of the day next to the requested range, of which nothing is stored. Without such a
   * file, a trade of a day further off is used if its id is `wantedId`: then there are no trades between.
   */
  async #edgeTrade(side: Side, wantedId: number): Promise<AggTrade | undefined> {
    const beside = { ...this.#series, dayMs: this.#day.dayMs + STEP_MS[side] };
    const trade = await tradeOfDay(this.#deps, beside, side, this.#signal);
    if (trade !== undefined) return trade;
    const nearest = await nearestTrade(this.#deps, beside, side, this.#signal);
    return nearest?.aggId === wantedId ? nearest : undefined;
  }

  #ask(fromId: number): Promise<readonly AggTrade[]> {
    const unit = nativeTimeUnit(this.#series.market, this.#day.dayMs);
    return this.#deps.source.page(this.#series, { fromId, unit, rows: ROWS_BESIDE }, this.#signal);
  }
}

export type Side = 'before' | 'after';

const STEP_MS = { before: -DAY_MS, after: DAY_MS } as const;

type FileDeps = Pick<EdgeDeps, 'archive' | 'log'>;

/**
 * The trade nearest to a day in the files of up to SILENT_DAYS days before or after it.
 * @returns undefined also when the source has no listing
 */
export async function nearestTrade(
  deps: FileDeps,
  { market, symbol, dayMs }: SeriesDay,
  side: Side,
  signal: AbortSignal,
): Promise<AggTrade | undefined> {
  const series: Series = { market, symbol };
  const range =
    side === 'before'
      ? { startMs: dayMs - SILENT_DAYS * DAY_MS, endMs: dayMs }
      : { startMs: dayMs + DAY_MS, endMs: dayMs + (SILENT_DAYS + 1) * DAY_MS };
  const listing = await deps.archive.list(series, range, signal);
  if (listing === undefined) return undefined;
  const { days, months } = listing;
  const withFile = [...daysOf(range)].filter(
    (day) => days.has(day) || months.has(monthOf(day).startMs),
  );
  for (const day of side === 'before' ? withFile.toReversed() : withFile) {
    const trade = await tradeOfDay(deps, { ...series, dayMs: day }, side, signal);
    if (trade !== undefined) return trade;
  }
  return undefined;
}

/** The last trade of a day before, or the first one of a day after. A faulty file gives none. */
async function tradeOfDay(
  { archive, log }: FileDeps,
  day: SeriesDay,
  side: Side,
  signal: AbortSignal,
): Promise<AggTrade | undefined> {
  try {
    return await archive.withDay(day, day.dayMs, signal, (file) => edgeOf(file, side));
  } catch (error) {
    if (!isArchiveFault(error)) throw error;
    log.warn({ error: error.message }, 'could not read the nearest trade from a day’s file');
    return undefined;
  }
}

async function edgeOf(file: ArchiveDay, side: Side): Promise<AggTrade | undefined> {
  let found: AggTrade | undefined;
  for await (const block of file.rows()) {
    if (block.rows === 0) continue;
    found = block.trade(side === 'after' ? 0 : block.rows - 1);
    if (side === 'after') break;
  }
  return found;
}

/** A trade of which only id and time matter: it ends an hour and is not counted in any. */
export function namedOnly({ id, timeUs }: Neighbour): AggTrade {
  const [price, qty, firstId, lastId] = ['0', '0', -1, -1] as const;
  return { aggId: id, timeUs, price, qty, firstId, lastId, isBuyerMaker: false };
}
