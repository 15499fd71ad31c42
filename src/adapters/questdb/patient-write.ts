import { backoffMs } from '../../domain/backoff.ts';
import type { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** A batch of 10,000 rows takes about 50 ms; a server that needs this long is as good as gone. */
export const WRITE_DEADLINE_MS = 30_000;

const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };

/**
 * Writes a batch again when that may help. One that was given up may still arrive later: the table's
 * dedup keys make that harmless.
 * @param write one try; its rows stay with the caller until it resolves
 * @throws CdvaultError of `toError`, or the signal's reason
 */
export async function writePatiently(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  rows: number,
  signal: AbortSignal,
  write: () => Promise<void>,
  toError: (error: unknown) => CdvaultError,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      signal.throwIfAborted();
      const failure = toError(error);
      if (!failure.retryable || attempt + 1 >= TRIES) throw failure;
      log.warn({ code: failure.code, rows, attempt }, `${failure.message}; trying again`);
      await clock.sleep(backoffMs(BACKOFF, attempt, Math.random(), BACKOFF.firstMs), signal);
    }
  }
}
