import pino from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../../ports/log.ts';
import { logFields } from './log-context.ts';

/**
 * To standard error, so that standard output stays the command's own: JSON lines for machines, and a
 * readable line each where a person looks at a terminal. Lines of a job's work name its run.
 */
export function createLog(level: string): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: fieldsOf },
    mixin: () => ({ ...logFields() }),
  };
  if (process.stderr.isTTY) {
    return pino(
      options,
      pretty({ destination: 2, sync: true, singleLine: true, translateTime: 'UTC:HH:MM:ss' }),
    );
  }
  return pino(options, pino.destination({ dest: 2, sync: true }));
}

/** The message is no enumerable property and would not be written; a stack is of no use to operators. */
function fieldsOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, cause } = error;
  const fields = Object.fromEntries(Object.entries(error));
  return { ...fields, message, ...(cause !== undefined && { cause: fieldsOf(cause) }) };
}
