import pLimit from 'p-limit';
import { CdvaultError } from '../../domain/errors.ts';
import { createSql, type Sql } from './sql.ts';

export interface QueryLimits {
  /** A query that takes longer is stopped in the server. */
  readonly queryMs: number;
  /** Queries at once. */
  readonly running: number;
  /** Queries that may wait for one of these to end. */
  readonly waiting: number;
}

export interface LimitedSql extends Sql {
  /** The same, for one asker: once the signal is aborted, queries of theirs end, also in the server. */
  until(signal: AbortSignal): Sql;
}

/**
 * For questions of anybody who may ask, beside the work of cdvault itself. A query whose time is over loses its
 * connection; the server looks for that while a query runs and then stops it, within a quarter of a second
 * (measured, 9.3.4). It ignores `statement_timeout`.
 * @param url postgresql://user:password@host:port/qdb
 */
export function createLimitedSql(
  url: string,
  { queryMs, running, waiting }: QueryLimits,
): LimitedSql {
  const sql = createSql(url, running, queryMs);
  const limit = pLimit(running);
  /** Those that still stand in the queue although nobody waits for them. */
  let leftBehind = 0;

  async function limited<T>(what: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (limit.pendingCount - leftBehind >= waiting) {
      const message = `too many queries at once: ${running} running, ${waiting} waiting`;
      throw new CdvaultError('QUERY_BUSY', message);
    }
    const onAbort = () => (leftBehind += 1);
    signal?.addEventListener('abort', onAbort);
    try {
      return await limit(async () => {
        signal?.removeEventListener('abort', onAbort);
        if (signal?.aborted === true) leftBehind -= 1;
        signal?.throwIfAborted();
        return what();
      });
    } catch (error) {
      throw isOverdue(error) ? overdue(queryMs, error) : error;
    }
  }

  const of = (given?: AbortSignal): Sql => ({
    query: async (text, values, signal = given) =>
      limited(() => sql.query(text, values, signal), signal),
    eachRow: async (text, values, take, signal = given) =>
      limited(() => sql.eachRow(text, values, take, signal), signal),
    waitApplied: async (table) => limited(() => sql.waitApplied(table), given),
    async close() {
      limit.clearQueue();
      await sql.close();
    },
  });
  return { ...of(), until: of };
}

/** What pg says when `query_timeout` is over; it has no code. */
function isOverdue(error: unknown): boolean {
  const cause = error instanceof CdvaultError ? error.cause : undefined;
  return cause instanceof Error && cause.message === 'Query read timeout';
}

function overdue(queryMs: number, cause: unknown): CdvaultError {
  const seconds = queryMs / 1000;
  return new CdvaultError(
    'QUERY_TIMEOUT',
    `a query took longer than ${seconds} s and was stopped`,
    {
      cause,
    },
  );
}
