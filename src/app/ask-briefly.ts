import { CdvaultError } from '../domain/errors.ts';

/** A question that only helps is not worth the patience that trades are. */
const BRIEFLY_MS = 20_000;

/** @returns the failure instead of throwing it, unless the caller himself was told to stop */
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
