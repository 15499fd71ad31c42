import { CdvaultError } from '../domain/errors.ts';

/** Optional requests get this long, much less than requests for trades. */
const BRIEFLY_MS = 20_000;

/**
 * Runs an optional request with a short deadline.
 * @returns the answer, or the failure instead of throwing it
 * @throws the reason of `signal` when the caller was aborted
 */
export async function askBriefly<T>(
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | CdvaultError> {
  const briefly = AbortSignal.timeout(BRIEFLY_MS);
  try {
    return await ask(AbortSignal.any([signal, briefly]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CdvaultError) return error;
    if (!briefly.aborted) throw error;
    const message = `no answer within ${BRIEFLY_MS / 1000} s`;
    return new CdvaultError('EXCHANGE_UNREACHABLE', message, { cause: error });
  }
}
