import { CdvaultError } from '../errors.ts';
import { HOUR_MS } from '../time/hour.ts';
import type { Series } from '../market.ts';

interface BeyondHistory {
  /** What was asked for: an hour, an id. */
  readonly what: string;
  readonly historyMs: number;
  /** The earliest instant whose trades are served now. */
  readonly keptFromMs: number;
  readonly cause?: unknown;
}

/** The RETENTION error of a request for trades that are older than REST serves. */
export function beyondHistory(
  { symbol }: Series,
  { what, historyMs, keptFromMs, cause }: BeyondHistory,
): CdvaultError {
  const from = new Date(keptFromMs).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
  return new CdvaultError(
    'RETENTION',
    `${symbol} ${what}: futures REST serves only the last ${historyMs / HOUR_MS} hours (now from ${from} on); ` +
      'older hours come from the archive files',
    { cause },
  );
}
