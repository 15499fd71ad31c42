import pino from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../../ports/log.ts';
import { logFields } from './log-context.ts';

/**
 * Logs to standard error, so that standard output holds only the command's result: readable lines on a
 * terminal, else JSON lines. Lines that are logged while a job runs name its run.
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

/**
 * The message is not enumerable and would not be written; the stack is left out, since operators can't use
 * it.
 */
function fieldsOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { message, cause } = error;
  const fields = Object.fromEntries(Object.entries(error));
  return { ...fields, message, ...(cause !== undefined && { cause: fieldsOf(cause) }) };
}
