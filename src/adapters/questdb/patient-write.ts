import { backoffMs } from '../../domain/plan/backoff.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };

/**
 * Writes a batch again when that may help. One that was given up may still arrive later: the table's
 * dedup keys make that harmless.
 * @param write one try; its rows stay with the caller until it resolves
 * @throws what the last try threw, or the signal's reason
 */
export async function writePatiently(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  rows: number,
  signal: AbortSignal,
  write: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await write();
    } catch (error) {
      signal.throwIfAborted();
      const mayPass = error instanceof CdvaultError && error.retryable;
      if (!mayPass || attempt + 1 >= TRIES) throw error;
      log.warn({ code: error.code, rows, attempt }, `${error.message}; trying again`);
      await clock.sleep(backoffMs(BACKOFF, attempt, Math.random(), BACKOFF.firstMs), signal);
    }
  }
}
