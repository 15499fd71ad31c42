import { CdvaultError } from '../errors.ts';
import { HOUR_MS } from '../time/hour.ts';
import type { Series } from '../market.ts';

/**
 * @param what that was asked for: an hour, an id
 * @param keptFromMs the earliest instant whose trades are served now
 */
export function beyondHistory(
  { symbol }: Series,
  what: string,
  historyMs: number,
  keptFromMs: number,
  cause?: unknown,
): CdvaultError {
  const from = new Date(keptFromMs).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
  return new CdvaultError(
    'RETENTION',
    `${symbol} ${what}: futures REST serves only the last ${historyMs / HOUR_MS} hours (now from ${from} on); ` +
      'older hours come from the archive files',
    { cause },
  );
}
