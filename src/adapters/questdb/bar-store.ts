import type { MidnightBase } from '../../domain/bars/chain.ts';
import { formatDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { DAY_MS, floorTo, type TimeRange } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { DEFAULT_TIERS, type TierBounds } from '../../domain/bars/tier.ts';
import type {
  BarStore,
  DaysToWrite,
  DayToStamp,
  ChainBreak,
  DayToWrite,
  RestatementRow,
  SettledDays,
} from '../../ports/bar-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import {
  barLines,
  type BarPlace,
  leftPlace,
  placeKey,
  type TableLines,
  voidLine,
} from './bar-lines.ts';
import { placesOf, toPlace } from './bar-row.ts';
import { chainBreaks } from './chain-breaks.ts';
import type { IlpConnection } from './ilp-connection.ts';
import { writePatiently } from './patient-write.ts';
import { settledDays } from './settled-days.ts';
import { literal, seriesValues, type Sql, timestamp } from './sql.ts';
import { QuestdbStoredBars } from './stored-bars.ts';

/** The layout of a day whose bars are being written. */
export const UNFINISHED = 'unfinished';

/** A stamp is about 1 KB of text. */
const STAMPS_A_STATEMENT = 500;

interface BarStoreParts {
  readonly sql: Sql;
  readonly ilp: Pick<IlpConnection, 'stream'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** @param tiers lower bounds of the trade sizes; every writer of a store must use the same ones */
export function createBarStore(parts: BarStoreParts, tiers: TierBounds = DEFAULT_TIERS): BarStore {
  return new QuestdbBarStore(parts, tiers);
}

class QuestdbBarStore extends QuestdbStoredBars implements BarStore {
  readonly #sql: Sql;
  readonly #ilp: Pick<IlpConnection, 'stream'>;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor({ sql, ilp, clock, log }: BarStoreParts, tiers: TierBounds) {
    super(sql, tiers);
    this.#sql = sql;
    this.#ilp = ilp;
    this.#clock = clock;
    this.#log = log;
  }

  async begin(days: readonly DayToStamp[], nowMs: number): Promise<void> {
    await this.#record(days, nowMs, UNFINISHED);
  }

  async write(days: DaysToWrite, signal: AbortSignal): Promise<void> {
    const deps = { clock: this.#clock, log: this.#log };
    const tables = new Set<string>();
    let rows = 0;
    await writePatiently(
      deps,
      () => rows,
      signal,
      async () => {
        rows = 0;
        const pieces = this.#pieces(days(), (table, lines) => {
          tables.add(table);
          rows += lines;
        });
        await this.#ilp.stream(pieces, () => rows, signal);
      },
    );
    for (const table of tables) await this.#sql.waitApplied(table);
  }

  /** The lines of each table of each day. */
  async *#pieces(
    days: ReturnType<DaysToWrite>,
    onLines: (table: string, lines: number) => void,
  ): AsyncGenerator<Buffer> {
    for await (const written of days) {
      for (const ofTable of barLines(written, this.tiers)) {
        const { table } = ofTable;
        const voids = written.mayHaveLeft ? await this.#leftBars(written, ofTable) : [];
        const lines = [
          ...ofTable.lines,
          ...voids.map((place) => voidLine(table, written.series, place)),
        ];
        if (lines.length === 0) continue;
        onLines(table, lines.length);
        yield Buffer.from(lines.join(''));
      }
    }
  }

  /** Stored bars of a day that are not written again. */
  async #leftBars(
    { series, day: { dayMs }, fromMs }: DayToWrite,
    ofTable: TableLines,
  ): Promise<BarPlace[]> {
    const { table, intervalMs } = ofTable;
    const range = { startMs: floorTo(fromMs, intervalMs), endMs: dayMs + DAY_MS };
    await this.#sql.waitApplied(table);
    const rows = await this.#sql.query(...placesOf(table, series, range));
    const places = ofTable.places();
    return rows
      .map((row) => toPlace(row, series))
      .filter((place) => place !== undefined)
      .filter((place) => !places.has(placeKey(place)))
      .map((place) => leftPlace(place, ofTable));
  }

  async stamp(days: readonly DayToStamp[], nowMs: number): Promise<void> {
    await this.#record(days, nowMs, this.layout);
    await this.#sql.waitApplied('bar_days');
  }

  async #record(days: readonly DayToStamp[], nowMs: number, layout: string): Promise<void> {
    for (let start = 0; start < days.length; start += STAMPS_A_STATEMENT) {
      const rows = days
        .slice(start, start + STAMPS_A_STATEMENT)
        .map((one) => stampRow(one, nowMs, layout));
      await this.#sql.query(
        'INSERT INTO bar_days (ts, market, symbol, inputs, level_from, rows, id_start, id_end, missing, delta, built_at, layout) ' +
          `VALUES ${rows.join(', ')}`,
      );
    }
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

  async settledDays(range: TimeRange, series?: Series): Promise<SettledDays[]> {
    return settledDays(this.#sql, this.layout, range, series);
  }

  async chainBreaks(series?: Series): Promise<ChainBreak[]> {
    return chainBreaks(this.#sql, series);
  }
}

function stampRow({ series, day }: DayToStamp, nowMs: number, layout: string): string {
  return (
    `(${timestamp(day.dayMs)}, ${seriesValues(series)}, ${literal(day.inputs)}, ` +
    `${timestamp(day.levelFromMs)}, ${day.rows}, ${day.idStart}, ${day.idEnd}, ${day.missing ?? 'NULL'}, ` +
    `${decimal(day.deltaE8)}, ${timestamp(nowMs)}, ${literal(layout)})`
  );
}

function decimal(valueE8: bigint): string {
  return `${formatDecimal(valueE8, QTY_SCALE)}m::decimal(38,8)`;
}
