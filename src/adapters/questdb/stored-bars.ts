import type { MidnightBase } from '../../domain/bars/chain.ts';
import { DEFAULT_TIERS, type TierBounds, type TierInterval } from '../../domain/bars/tier.ts';
import type { Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import type { Interval } from '../../domain/time/interval.ts';
import { parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type {
  ExactBar,
  ExactTierBar,
  StoredBars,
  StoredBases,
  StoredDay,
} from '../../ports/bar-store.ts';
import { TIER_MINUTES } from './bar-lines.ts';
import { BAR_COLUMNS, TIER_COLUMNS, toBar, toTierBar } from './bar-row.ts';
import { prunedDays } from './prunings.ts';
import {
  IN_RANGE,
  int,
  OF_SERIES,
  optionalInt,
  seriesParameters,
  type Sql,
  text,
  type TextRow,
} from './sql.ts';

/** Increased whenever a release adds something that the bars of earlier releases do not have. */
const LAYOUT = 2;

/** Reads bars, as any user that may select. */
export class QuestdbStoredBars implements StoredBars {
  readonly #sql: Sql;
  protected readonly layout: string;
  readonly tiers: TierBounds;

  /** @param tiers lower bounds of the trade sizes that the bars are expected to have */
  constructor(sql: Sql, tiers: TierBounds = DEFAULT_TIERS) {
    this.#sql = sql;
    this.tiers = tiers;
    this.layout = `${LAYOUT} ${tiers.join(',')}`;
  }

  async days(series: Series, range?: TimeRange): Promise<StoredDay[]> {
    await this.#sql.waitApplied('bar_days');
    const rows = await this.#sql.query(
      'SELECT ts::long AS day_us, level_from::long AS level_us, inputs, id_start, id_end, missing, delta, layout FROM bar_days ' +
        `WHERE ${OF_SERIES}${range === undefined ? '' : ` AND ${IN_RANGE}`} ORDER BY ts`,
      seriesParameters(series, range),
    );
    const days = rows.map((row) => ({
      ...toStoredDay(row),
      isCurrent: row['layout'] === this.layout,
    }));
    if (days.every(({ isCurrent }) => isCurrent)) return days;
    // Bars whose trades were dropped can't be built again: they stay as an earlier release or other tiers made them.
    const pruned = new Set((await prunedDays(this.#sql, series, range)).map(({ dayMs }) => dayMs));
    return days.map((day) => ({ ...day, isCurrent: day.isCurrent || pruned.has(day.dayMs) }));
  }

  async bars(series: Series, interval: Interval, range: TimeRange): Promise<ExactBar[]> {
    const table = `cdv_exact_${interval}`;
    await this.#sql.waitApplied(table);
    const rows = await this.#sql.query(
      `SELECT ${BAR_COLUMNS} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} AND status <> 'void' ORDER BY ts`,
      seriesParameters(series, range),
    );
    return rows.map(toBar);
  }

  async tierBars(
    series: Series,
    interval: TierInterval,
    range: TimeRange,
  ): Promise<ExactTierBar[]> {
    const table = `tiers_exact_${interval}`;
    const ofView = [TIER_MINUTES, 'cdv_exact_1m', 'tiers_exact_1d'];
    for (const read of interval === '1m' ? ofView : [table]) await this.#sql.waitApplied(read);
    const rows = await this.#sql.query(
      `SELECT ${TIER_COLUMNS} FROM ${table} WHERE ${OF_SERIES} AND ${IN_RANGE} AND status <> 'void' ORDER BY ts, tier`,
      seriesParameters(series, range),
    );
    return rows.map(toTierBar);
  }

  async midnightBases(series: Series, range?: TimeRange): Promise<StoredBases> {
    await this.#sql.waitApplied('anchors');
    const rows = await this.#sql.query(
      'SELECT ts::long AS day_us, base, missing, origin::long AS origin_us FROM anchors ' +
        `WHERE ${OF_SERIES}${range === undefined ? '' : ` AND ${IN_RANGE}`} ORDER BY ts`,
      seriesParameters(series, range),
    );
    const [first] = rows;
    return {
      originMs: first === undefined ? undefined : int(first, 'origin_us') / 1000,
      bases: rows.map(toMidnightBase),
    };
  }
}

function toStoredDay(row: TextRow): Omit<StoredDay, 'isCurrent'> {
  return {
    dayMs: int(row, 'day_us') / 1000,
    levelFromMs: int(row, 'level_us') / 1000,
    inputs: text(row, 'inputs'),
    idStart: int(row, 'id_start'),
    idEnd: int(row, 'id_end'),
    missing: optionalInt(row, 'missing'),
    deltaE8: parseDecimal(text(row, 'delta'), QTY_SCALE),
  };
}

function toMidnightBase(row: TextRow): MidnightBase {
  return {
    dayMs: int(row, 'day_us') / 1000,
    baseE8: parseDecimal(text(row, 'base'), QTY_SCALE),
    missing: optionalInt(row, 'missing'),
  };
}
