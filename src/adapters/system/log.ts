import pino from 'pino';
import type { Log } from '../../ports/log.ts';

/** JSON lines on standard error, so that standard output stays the command's own. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
