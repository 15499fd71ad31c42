import { backoffMs } from '../../domain/plan/backoff.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

const TRIES = 3;
const BACKOFF = { firstMs: 500, maxMs: 4_000 };

/**
 * Writes a batch; repeats it when that may help. A batch whose attempt failed may still arrive later: the
 * table's dedup keys make that harmless.
 * @param rows of the last attempt
 * @param write one attempt; the caller keeps the rows until it resolves
 * @throws the error of the last attempt, or the signal's reason
 */
export async function writePatiently(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  rows: () => number,
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
      log.warn({ code: error.code, rows: rows(), attempt }, `${error.message}; trying again`);
      await clock.sleep(backoffMs(BACKOFF, attempt, Math.random(), BACKOFF.firstMs), signal);
    }
  }
}
