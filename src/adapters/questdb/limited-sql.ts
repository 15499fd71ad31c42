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

/**
 * For questions of anybody who may ask, beside the work of cdvault itself. A query whose time is over loses its
 * connection; the server looks for that while a query runs and then stops it, within a quarter of a second
 * (measured, 9.3.4). It ignores `statement_timeout`.
 * @param url postgresql://user:password@host:port/qdb
 */
export function createLimitedSql(url: string, { queryMs, running, waiting }: QueryLimits): Sql {
  const sql = createSql(url, running, queryMs);
  const limit = pLimit(running);

  async function limited<T>(what: () => Promise<T>): Promise<T> {
    if (limit.pendingCount >= waiting) {
      const message = `too many queries at once: ${running} running, ${waiting} waiting`;
      throw new CdvaultError('QUERY_BUSY', message);
    }
    try {
      return await limit(what);
    } catch (error) {
      throw isOverdue(error) ? overdue(queryMs, error) : error;
    }
  }

  return {
    query: async (text, values) => limited(() => sql.query(text, values)),
    waitApplied: async (table) => limited(() => sql.waitApplied(table)),
    async close() {
      limit.clearQueue();
      await sql.close();
    },
  };
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
