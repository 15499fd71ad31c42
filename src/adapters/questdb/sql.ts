import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { CdvaultError } from '../../domain/errors.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { gathering } from './gathering.ts';
import { catching, giveRows, type TakeRow } from './row-query.ts';
import { storeError, suspendedTables, WAIT } from './store-error.ts';

/**
 * One row; every value is the text from the wire, so that no parser rounds a decimal or shifts a time
 * zone.
 */
export type TextRow = Readonly<Record<string, string | null>>;

export interface Sql {
  /**
   * @param signal stops the query in the server as well
   * @throws CdvaultError STORE_UNREACHABLE, STORE_REFUSED, TABLE_SUSPENDED; the signal's reason
   */
  query(
    text: string,
    values?: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<readonly TextRow[]>;
  /**
   * The same for long answers: each row is given away when it arrives, and not kept. A failed query may have given
   * some.
   * @param take the texts of a row, in the order of the statement's columns
   */
  eachRow(
    text: string,
    values: readonly unknown[],
    take: TakeRow,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Resolves once everything acknowledged so far is visible in the table. */
  waitApplied(table: string): Promise<void>;
  /** Aborts the queries that still run. */
  close(): Promise<void>;
}

/** A statement may compute a whole day of bars, which takes 1–3 s (measured). */
const QUERY_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 5_000;

const asText: pg.CustomTypesConfig = {
  getTypeParser: () => (value: unknown) => value,
};

/** @param url postgresql://user:password@host:port/qdb */
export function createSql(url: string, maxConnections = 6, queryTimeoutMs = QUERY_TIMEOUT_MS): Sql {
  const { pool, busy } = createPool(url, maxConnections, queryTimeoutMs);
  const bare = { query: async (text: string) => (await pool.query<TextRow>(text)).rows };

  async function query(
    text: string,
    values: readonly unknown[] = [],
    signal?: AbortSignal,
  ): Promise<readonly TextRow[]> {
    const statement = values.length === 0 ? text : { text, values: [...values] };
    try {
      const result =
        signal === undefined
          ? await pool.query<TextRow>(statement)
          : await queryUntil(pool, async (client) => client.query<TextRow>(statement), signal);
      return Array.isArray(result) ? [] : result.rows;
    } catch (error) {
      signal?.throwIfAborted();
      throw await storeError(error, text, () => suspendedTables(bare));
    }
  }

  async function eachRow(
    text: string,
    values: readonly unknown[],
    take: TakeRow,
    signal: AbortSignal = NEVER,
  ): Promise<void> {
    const taking = catching(take);
    try {
      await queryUntil(
        pool,
        async (client) => giveRows(client, { text, values }, taking.take),
        signal,
      );
    } catch (error) {
      signal.throwIfAborted();
      throw await storeError(error, text, () => suspendedTables(bare));
    }
    taking.rethrow();
  }

  const waits = new Map<string, () => Promise<void>>();

  return {
    query,
    eachRow,
    async waitApplied(table) {
      const wait = waits.get(table) ?? waitFor(query, table);
      waits.set(table, wait);
      await wait();
    },
    async close() {
      // The pool would wait for running queries, whose results nobody needs any more.
      for (const client of busy) void client.end();
      await pool.end();
    },
  };
}

function createPool(connectionString: string, max: number, queryTimeoutMs: number) {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    types: asText,
    allowExitOnIdle: true,
  });
  const busy = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => busy.add(client));
  pool.on('release', (_error, client) => busy.delete(client));
  // A broken idle connection is replaced at the next query. Without a listener its error ends the process.
  pool.on('error', () => undefined);
  return { pool, busy };
}

/** The server looks for lost connections while a query runs, and stops it within a quarter of a second. */
async function queryUntil<T>(
  pool: pg.Pool,
  ask: (client: pg.PoolClient) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const client = await pool.connect();
  // The query fails with the same error.
  client.on('error', ignore);
  const stop = Promise.withResolvers<never>();
  const onAbort = () => stop.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let isWhole = false;
  try {
    signal.throwIfAborted();
    const result = await Promise.race([ask(client), stop.promise]);
    isWhole = true;
    return result;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // As after any failed query, the connection is not used again.
    client.release(!isWhole);
    client.off('error', ignore);
  }
}

function ignore(): void {}

const NEVER = new AbortController().signal;

/**
 * A wait takes one of the server's few threads for connections until it ends (two on a small machine). A wait that is
 * under way may have begun before the caller's rows were acknowledged, so it joins the next one.
 */
export function waitFor(query: Sql['query'], table: string): () => Promise<void> {
  const wait = gathering<undefined>(async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await query(`${WAIT}'${table}')`);
        return [];
      } catch (error) {
        if (!isBeingMade(error) || attempt >= MAKING_ATTEMPTS) throw error;
        await delay(MAKING_POLL_MS);
      }
    }
  });
  return async () => wait(undefined);
}

/** Making a table takes some 50 ms. */
const MAKING_POLL_MS = 50;
const MAKING_ATTEMPTS = 100;

/** Whether another connection is making the table: it is listed already, and can't be used yet. */
function isBeingMade(error: unknown): boolean {
  const cause = error instanceof CdvaultError ? error.cause : undefined;
  return cause instanceof pg.DatabaseError && cause.message.startsWith('table name is reserved');
}

/** A text literal; symbols come from users and may contain quotes. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A microsecond timestamp literal. */
export function timestamp(timeMs: number): string {
  return `${literal(new Date(timeMs).toISOString())}::timestamp`;
}

/**
 * The value of an integer column.
 * @throws CdvaultError INTERNAL when it is NULL
 */
export function int(row: TextRow, column: string): number {
  const value = optionalInt(row, column);
  if (value === undefined) throw new CdvaultError('INTERNAL', `column ${column} is NULL`);
  return value;
}

export function optionalInt(row: TextRow, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}

export function text(row: TextRow, column: string): string {
  const value = row[column];
  if (value === null || value === undefined)
    throw new CdvaultError('INTERNAL', `column ${column} is NULL`);
  return value;
}

/** `market = … AND symbol = …` as text, for statements that take no parameters. */
export function ofSeries({ market, symbol }: Series): string {
  return `market = ${literal(market)} AND symbol = ${literal(symbol)}`;
}

/** The same two as values to insert. */
export function seriesValues({ market, symbol }: Series): string {
  return `${literal(market)}, ${literal(symbol)}`;
}

/**
 * The filter of a series, with seriesParameters() as the first values. The server keeps the plan of a text that
 * it has seen, and plans each new one: a ledger row that is read so takes it 0.2 CPU milliseconds, with literals
 * 2.7, and chainBreaks() 0.4 and 11 (measured).
 */
export const OF_SERIES = 'market = $1 AND symbol = $2';

/** The filter of the rows of all series: those of forgotten ones have no market (migration 07). */
export const OF_ANY_SERIES = 'market IS NOT NULL';

/** The same for the table `series`, which keeps a row of a forgotten one. */
export const NOT_FORGOTTEN = 'origin IS NOT NULL';

/** The filter of a half-open range of time, in a statement with OF_SERIES. */
export const IN_RANGE = 'ts >= cast($3 AS long)::timestamp AND ts < cast($4 AS long)::timestamp';

/** The values of OF_SERIES and, with a range, IN_RANGE. */
export function seriesParameters(
  { market, symbol }: Series,
  range?: TimeRange,
): readonly (string | number)[] {
  return range === undefined
    ? [market, symbol]
    : [market, symbol, range.startMs * 1000, range.endMs * 1000];
}

/** The series of a row with the columns `market` and `symbol`. */
export function toSeries(row: TextRow): Series {
  return { market: text(row, 'market') as Market, symbol: text(row, 'symbol') };
}

/** The filter of the rows of a half-open range of time. */
export function inRange({ startMs, endMs }: TimeRange): string {
  return `ts >= ${timestamp(startMs)} AND ts < ${timestamp(endMs)}`;
}
