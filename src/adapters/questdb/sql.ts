import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { CdvaultError } from '../../domain/errors.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { TimeRange } from '../../domain/time/hour.ts';
import { gathering } from './gathering.ts';

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
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
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
          : await queryUntil(pool, statement, signal);
      return Array.isArray(result) ? [] : result.rows;
    } catch (error) {
      signal?.throwIfAborted();
      throw await storeError(error, text, () => suspendedTables(bare));
    }
  }

  const waits = new Map<string, () => Promise<void>>();

  return {
    query,
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

/** The server looks for lost connections while a query runs, and stops it within a quarter of a second. */
async function queryUntil(
  pool: pg.Pool,
  statement: string | pg.QueryConfig,
  signal: AbortSignal,
): Promise<pg.QueryResult<TextRow>> {
  const client = await pool.connect();
  // The query fails with the same error.
  client.on('error', ignore);
  const stop = Promise.withResolvers<never>();
  const onAbort = () => stop.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let isWhole = false;
  try {
    signal.throwIfAborted();
    const result = await Promise.race([client.query<TextRow>(statement), stop.promise]);
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

const WAIT = 'SELECT wait_wal_table(';

/** Making a table takes some 50 ms. */
const MAKING_POLL_MS = 50;
const MAKING_ATTEMPTS = 100;

/** Whether another connection is making the table: it is listed already, and can't be used yet. */
function isBeingMade(error: unknown): boolean {
  const cause = error instanceof CdvaultError ? error.cause : undefined;
  return cause instanceof pg.DatabaseError && cause.message.startsWith('table name is reserved');
}

/** Tables to which QuestDB has stopped applying what is written. */
export async function suspendedTables(sql: Pick<Sql, 'query'>): Promise<readonly string[]> {
  const rows = await sql.query('SELECT name FROM wal_tables() WHERE suspended');
  return rows.map(({ name }) => name ?? '');
}

/** The server's words when the kernel gives it no more memory maps (`vm.max_map_count`). */
const NO_MAP = /could not mmap/;

/**
 * Finds the error code. The server's SQLSTATE is always 00000: the class of the error shows that the server
 * refused. Whether a table is suspended is queried, since the text of the error may quote anything, except that
 * of a wait for the table.
 */
export async function storeError(
  error: unknown,
  statement: string,
  suspendedTables: () => Promise<readonly string[]>,
): Promise<CdvaultError> {
  const message = error instanceof Error ? error.message : String(error);
  const action = statement.trim().split(/\s+/).slice(0, 6).join(' ');
  if (!(error instanceof pg.DatabaseError)) {
    return new CdvaultError(
      'STORE_UNREACHABLE',
      `QuestDB did not answer (${action} …): ${message || 'connection failed'}`,
      { cause: error },
    );
  }
  if (NO_MAP.test(message)) {
    return new CdvaultError(
      'STORE_UNREACHABLE',
      `QuestDB could not open a table (${action} …): ${message}`,
      {
        cause: error,
        advice:
          'Its memory maps are used up. Set vm.max_map_count=1048576 on its machine (sysctl); it also closes tables that nobody has read for two minutes. No data is lost; run the same command again.',
      },
    );
  }
  const words = new Set(statement.match(/\w+/g));
  const isSuspended =
    (statement.startsWith(WAIT) && message.startsWith('table is suspended ')) ||
    // If this query fails, only the refusal is known.
    (await suspendedTables().catch(() => [])).some((table) => words.has(table));
  if (isSuspended) {
    return new CdvaultError(
      'TABLE_SUSPENDED',
      `QuestDB has suspended a table (${action} …): ${message}`,
      { cause: error },
    );
  }
  return new CdvaultError('STORE_REFUSED', `QuestDB refused (${action} …): ${message}`, {
    cause: error,
  });
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
