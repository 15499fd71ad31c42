import type { MidnightBase } from '../../domain/bars/chain.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import type { DayInputs } from '../../domain/bars/day.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { DAY_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVALS, type Interval } from '../../domain/time/interval.ts';
import type { Series } from '../../domain/market.ts';
import {
  DEFAULT_TIERS,
  TIER_INTERVALS,
  type TierBounds,
  type TierInterval,
} from '../../domain/bars/tier.ts';
import type {
  BarStore,
  ComputedMinutes,
  ExactBar,
  ExactTierBar,
  RestatementRow,
  StoredBases,
  StoredDay,
} from '../../ports/bar-store.ts';
import { BAR_COLUMNS, TIER_COLUMNS, toBar, toTierBar } from './bar-row.ts';
import { minuteBars, rolledUpBars } from './bars-sql.ts';
import { minuteInserts, tierInserts } from './computed-minutes.ts';
import {
  int,
  literal,
  ofSeries,
  optionalInt,
  type Sql,
  text,
  type TextRow,
  timestamp,
} from './sql.ts';
import type { SeriesTables } from './series-tables.ts';
import { rolledUpTiers, tierMinutes } from './tiers-sql.ts';
import type { RowOrder } from './traded-minutes.ts';

/** Increased whenever a release adds something that the bars of earlier releases do not have. */
const LAYOUT = 2;

/** @param tiers lower bounds of the trade sizes; every writer of a store must use the same ones */
export function createBarStore(
  sql: Sql,
  tables: SeriesTables,
  tiers: TierBounds = DEFAULT_TIERS,
): BarStore {
  return new QuestdbBarStore(sql, tables, tiers);
}

const NEVER = new AbortController().signal;
/** A day without trades may be the first that is known of a series. */
const NO_TRADES = { rows: 0, firstUs: 0, lastUs: 0 };

interface BuildOptions {
  readonly contract: Contract | undefined;
  /** Tiers whose bars are taken away. */
  readonly former: readonly string[];
}

class QuestdbBarStore implements BarStore {
  readonly #sql: Sql;
  readonly #tables: SeriesTables;
  readonly #layout: string;
  readonly tiers: TierBounds;

  constructor(sql: Sql, tables: SeriesTables, tiers: TierBounds) {
    this.#sql = sql;
    this.#tables = tables;
    this.tiers = tiers;
    this.#layout = `${LAYOUT} ${tiers.join(',')}`;
  }

  async days(series: Series, range?: TimeRange): Promise<StoredDay[]> {
    await this.#sql.waitApplied('bar_days');
    const rows = await this.#sql.query(
      'SELECT ts::long AS day_us, level_from::long AS level_us, inputs, id_start, id_end, missing, delta, layout FROM bar_days ' +
        `WHERE ${ofSeries(series)}${range === undefined ? '' : ` AND ${inRange(range)}`} ORDER BY ts`,
    );
    return rows.map((row) => ({ ...toStoredDay(row), isCurrent: row['layout'] === this.#layout }));
  }

  async build(
    series: Series,
    day: DayInputs,
    contract?: Contract,
    computed?: ComputedMinutes,
  ): Promise<void> {
    const former = await this.#formerTiers(series, day);
    const statements =
      computed === undefined
        ? await this.#minutesOfRows(series, day, { contract, former })
        : this.#minutesOf(series, day, computed, { contract, former });
    await this.#write('cdv_exact_1m', statements.minutes);
    await allOver([
      ...INTERVALS.filter((interval) => interval !== '1m').map((interval) =>
        this.#write(`cdv_exact_${interval}`, [rolledUpBars(series, day, interval)]),
      ),
      this.#buildTiers(series, day, statements.tiers),
    ]);
  }

  async #minutesOfRows(
    series: Series,
    day: DayInputs,
    { contract, former }: BuildOptions,
  ): Promise<MinuteStatements> {
    const table = await this.#tables.forWriting(series, NO_TRADES, NEVER);
    await this.#sql.waitApplied(table);
    const order = await this.#orderOf(table, day);
    const request = { table, bounds: this.tiers, former, order, contract };
    return {
      minutes: [minuteBars(series, day, { table, order }, contract)],
      tiers: [tierMinutes(series, day, request)],
    };
  }

  #minutesOf(
    series: Series,
    day: DayInputs,
    computed: ComputedMinutes,
    { contract, former }: BuildOptions,
  ): MinuteStatements {
    return {
      minutes: minuteInserts(series, day, computed, contract),
      tiers: [...this.tiers.map(String), ...former].flatMap((tier, index) =>
        tierInserts(series, day, tier, computed.tiers[index] ?? []),
      ),
    };
  }

  /** Tiers that an earlier build of the day had and this one does not have. */
  async #formerTiers(series: Series, { dayMs }: DayInputs): Promise<readonly string[]> {
    const range = { startMs: dayMs, endMs: dayMs + DAY_MS };
    await this.#sql.waitApplied('tiers_exact_1m');
    const rows = await this.#sql.query(
      `SELECT DISTINCT tier FROM tiers_exact_1m WHERE ${ofSeries(series)} AND ${inRange(range)}`,
    );
    const names = this.tiers.map(String);
    return rows.map((row) => text(row, 'tier')).filter((tier) => !names.includes(tier));
  }

  async #buildTiers(series: Series, day: DayInputs, minutes: readonly string[]): Promise<void> {
    await this.#write('tiers_exact_1m', minutes);
    await allOver(
      TIER_INTERVALS.filter((interval) => interval !== '1m').map((interval) =>
        this.#write(`tiers_exact_${interval}`, [rolledUpTiers(series, day, interval)]),
      ),
    );
  }

  async #write(table: string, statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#sql.query(statement);
    await this.#sql.waitApplied(table);
  }

  /** Checked for each build: filling a hole or reloading a file changes it. */
  async #orderOf(table: string, { dayMs }: DayInputs): Promise<RowOrder> {
    const [row] = await this.#sql.query(
      'SELECT count() AS falls FROM (SELECT agg_id, lag(agg_id) OVER () AS before ' +
        `FROM ${table} WHERE ${inRange({ startMs: dayMs, endMs: dayMs + DAY_MS })}) WHERE agg_id < before`,
    );
    return row !== undefined && int(row, 'falls') === 0 ? 'stored' : 'sorted';
  }

  async stamp(series: Series, day: DayInputs, nowMs: number): Promise<void> {
    await this.#sql.query(
      `INSERT INTO bar_days (ts, market, symbol, inputs, level_from, rows, id_start, id_end, missing, delta, built_at, layout) VALUES (${timestamp(day.dayMs)}, ${seriesValues(series)}, ${literal(day.inputs)}, ` +
        `${timestamp(day.levelFromMs)}, ${day.rows}, ${day.idStart}, ${day.idEnd}, ${day.missing ?? 'NULL'}, ` +
        `${decimal(day.deltaE8)}, ${timestamp(nowMs)}, ${literal(this.#layout)})`,
    );
    await this.#sql.waitApplied('bar_days');
  }

  async bars(series: Series, interval: Interval, range: TimeRange): Promise<ExactBar[]> {
    const table = `cdv_exact_${interval}`;
    await this.#sql.waitApplied(table);
    const rows = await this.#sql.query(
      `SELECT ${BAR_COLUMNS} FROM ${table} WHERE ${ofSeries(series)} AND ${inRange(range)} AND status <> 'void' ORDER BY ts`,
    );
    return rows.map(toBar);
  }

  async tierBars(
    series: Series,
    interval: TierInterval,
    range: TimeRange,
  ): Promise<ExactTierBar[]> {
    const table = `tiers_exact_${interval}`;
    await this.#sql.waitApplied(table);
    const rows = await this.#sql.query(
      `SELECT ${TIER_COLUMNS} FROM ${table} WHERE ${ofSeries(series)} AND ${inRange(range)} AND status <> 'void' ORDER BY ts, tier`,
    );
    return rows.map(toTierBar);
  }

  async midnightBases(series: Series): Promise<StoredBases> {
    await this.#sql.waitApplied('anchors');
    const rows = await this.#sql.query(
      `SELECT ts::long AS day_us, base, missing, origin::long AS origin_us FROM anchors WHERE ${ofSeries(series)} ORDER BY ts`,
    );
    const [first] = rows;
    return {
      originMs: first === undefined ? undefined : int(first, 'origin_us') / 1000,
      bases: rows.map(toMidnightBase),
    };
  }

  async writeMidnightBases(
    series: Series,
    originMs: number,
    bases: readonly MidnightBase[],
  ): Promise<void> {
    if (bases.length === 0) return;
    const rows = bases.map(
      ({ dayMs, baseE8, missing }) =>
        `(${timestamp(dayMs)}, ${seriesValues(series)}, ${decimal(baseE8)}, ${missing ?? 'NULL'}, ${timestamp(originMs)})`,
    );
    await this.#sql.query(`INSERT INTO anchors VALUES ${rows.join(', ')}`);
    await this.#sql.waitApplied('anchors');
  }

  async restate(series: Series, rows: readonly RestatementRow[]): Promise<void> {
    if (rows.length === 0) return;
    const level = (value: string | undefined) =>
      value === undefined ? 'NULL' : `${value}m::decimal(38,8)`;
    const values = rows.map(
      (row) =>
        `(${timestamp(row.hourMs)}, ${seriesValues(series)}, '${row.what}', ${level(row.oldLevel)}, ${level(row.newLevel)}, ` +
        `${literal(row.reason)}, ${timestamp(row.seenAtMs)})`,
    );
    await this.#sql.query(`INSERT INTO restatements VALUES ${values.join(', ')}`);
    await this.#sql.waitApplied('restatements');
  }
}

/** The statements that write a day's minutes, and those of its tiers. */
interface MinuteStatements {
  readonly minutes: readonly string[];
  readonly tiers: readonly string[];
}

/**
 * Waits for all, then throws the first failure: a statement that still runs would overwrite the rows of the
 * next build.
 */
async function allOver(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

function seriesValues(series: Series): string {
  return `${literal(series.market)}, ${literal(series.symbol)}`;
}

function decimal(valueE8: bigint): string {
  return `${formatDecimal(valueE8, QTY_SCALE)}m::decimal(38,8)`;
}

function inRange({ startMs, endMs }: TimeRange): string {
  return `ts >= ${timestamp(startMs)} AND ts < ${timestamp(endMs)}`;
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
