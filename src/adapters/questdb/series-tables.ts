import { CdvaultError } from '../../domain/errors.ts';
import { type Series, seriesKey } from '../../domain/market.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';
import type { Log } from '../../ports/log.ts';
import { applyStatement } from './migrate.ts';
import { tradesTableName } from './series-names.ts';
import {
  columnsFor,
  type Partition,
  type SeriesNames,
  seriesStatements,
  statementsFor,
  toNames,
  updateSeriesSchema,
} from './series-schema.ts';
import { checkTable } from './server-check.ts';
import { NOT_FORGOTTEN, OF_SERIES, seriesParameters, type Sql } from './sql.ts';

/** The first trades that are written of a series: how many, and over what time. */
export interface FirstTrades {
  readonly rows: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

/** The tables of raw trades, one for each series. */
export interface SeriesTables {
  /** @returns undefined while the series has no trades */
  find(series: Series): Promise<string | undefined>;
  /** The same, with all acknowledged rows visible. */
  upToDate(series: Series): Promise<string | undefined>;
  /** The name of the table, whether it exists or not. */
  nameOf(series: Series): Promise<string>;
  /**
   * The table, made if it does not exist; confirmed in any case, so that no row is sent to a table that
   * does not have its columns and keys.
   * @throws CdvaultError SCHEMA_MISMATCH when another program has a table of that name
   */
  forWriting(series: Series, first: FirstTrades, signal: AbortSignal): Promise<string>;
  /** What is known of a table of an earlier generation no longer counts: the series was forgotten, and fetched anew. */
  isOfGeneration(series: Series, generation: number): void;
}

/** Runs `work` while no other process changes the schema. */
export type SchemaLock = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export function createSeriesTables(deps: {
  readonly sql: Sql;
  readonly lock: SchemaLock;
  readonly log: Log;
}): SeriesTables {
  const { sql } = deps;
  const names = new KnownNames(sql);
  const existing = new Set<string>();
  /** By the name of the table. */
  const confirmed = new Map<string, Promise<string>>();

  async function namesOf(series: Series): Promise<SeriesNames> {
    const found = await names.find(series);
    if (found === undefined)
      throw new CdvaultError('INTERNAL', `the table series has no row of ${seriesKey(series)}`);
    return found;
  }

  async function find(series: Series): Promise<string | undefined> {
    const table = (await names.find(series))?.table;
    if (table === undefined) return undefined;
    if (!existing.has(table) && !(await exists(sql, table))) return undefined;
    existing.add(table);
    return table;
  }

  return {
    isOfGeneration: (series, generation) => names.isOfGeneration(series, generation),
    find,
    async upToDate(series) {
      const table = await find(series);
      if (table !== undefined) await sql.waitApplied(table);
      return table;
    },
    nameOf: async (series) => (await namesOf(series)).table,
    async forWriting(series, first, signal) {
      const known = await namesOf(series);
      for (;;) {
        const making = confirmed.get(known.table);
        if (making === undefined) {
          const made = confirm(deps, known, partitionFor(first), signal);
          confirmed.set(known.table, made);
          made.catch(() => confirmed.delete(known.table));
          return made;
        }
        // Another job's failure, or its abort, is not this one's.
        const table = await making.catch(() => undefined);
        if (table !== undefined) return table;
        signal.throwIfAborted();
      }
    },
  };
}

/**
 * The names that were read. A table is never renamed and its name is never used again, so they stay true until the
 * series is forgotten. That does not happen while a job of it runs, and each job reads the generation when it begins.
 */
class KnownNames {
  readonly #sql: Sql;
  readonly #known = new Map<string, SeriesNames>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async find(series: Series): Promise<SeriesNames | undefined> {
    const key = seriesKey(series);
    const names = this.#known.get(key) ?? (await recordedNames(this.#sql, series));
    if (names !== undefined) this.#known.set(key, names);
    return names;
  }

  isOfGeneration(series: Series, generation: number): void {
    const key = seriesKey(series);
    const isOther = this.#known.get(key)?.table !== tradesTableName(series, generation);
    if (isOther) this.#known.delete(key);
  }
}

/**
 * From this many trades a day on, a series' table is divided by day: a month of fewer is a folder below
 * 100 MB, of which QuestDB rewrites little when rows arrive out of order.
 */
const BUSY_TRADES_A_DAY = 50_000;
const FEW_TRADES = 500;

function partitionFor({ rows, firstUs, lastUs }: FirstTrades): Partition {
  // A few trades within a second say nothing about the day; a page of them within minutes does.
  const spanMs = Math.max((lastUs - firstUs) / 1000, rows < FEW_TRADES ? HOUR_MS : MINUTE_MS);
  return (rows * DAY_MS) / spanMs >= BUSY_TRADES_A_DAY ? 'DAY' : 'MONTH';
}

async function confirm(
  { sql, lock, log }: Parameters<typeof createSeriesTables>[0],
  names: SeriesNames,
  partition: Partition,
  signal: AbortSignal,
): Promise<string> {
  const templates = await seriesStatements();
  const statements = statementsFor(templates, names, partition);
  const columns = columnsFor(statements, names.table);
  if (!(await exists(sql, names.table))) {
    await lock(async () => {
      for (const statement of statements) await applyStatement(sql, statement);
      await updateSeriesSchema(sql, templates);
    }, signal);
    log.debug({ ...names, partition }, 'table of trades created');
  }
  await checkTable(sql, names.table, columns);
  return names.table;
}

async function recordedNames(sql: Sql, series: Series): Promise<SeriesNames | undefined> {
  await sql.waitApplied('series');
  const [row] = await sql.query(
    `SELECT market, symbol, trades_table, trades_view FROM series WHERE ${OF_SERIES} AND ${NOT_FORGOTTEN}`,
    seriesParameters(series),
  );
  return row === undefined ? undefined : toNames(row);
}

async function exists(sql: Sql, table: string): Promise<boolean> {
  const tables = await sql.query('SELECT table_name AS name FROM tables() WHERE table_name = $1', [
    table,
  ]);
  return tables.length > 0;
}
