import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { beyondHistory } from '../../domain/plan/retention.ts';
import { apiOf } from './market-api.ts';

/** Where a request for trades starts. */
export type From = { readonly timeMs: number } | { readonly id: number };

interface Witness {
  /** The exchange's own clock. */
  serverTimeMs(): Promise<number>;
  firstIdAtOrAfter(timeMs: number): Promise<number | undefined>;
}

/** The start of the served history moves forward while it is being requested. */
const MARGIN_MS = MINUTE_MS;

/**
 * The exchange does not document the error code for requests that start before its history. So the request's
 * start is compared with the start of the history on the exchange's own clock; an id is compared with the
 * oldest one that is still served.
 * @returns a RETENTION error if the request starts before the history, else the given error
 */
export async function asRetentionError(
  error: unknown,
  series: Series,
  from: From,
  witness: Witness,
): Promise<unknown> {
  const { historyMs } = apiOf(series.market);
  const mayBe =
    error instanceof CdvaultError &&
    (error.code === 'EXCHANGE_REFUSED' || error.code === 'EXCHANGE_UNAVAILABLE');
  if (!mayBe || historyMs === Infinity) return error;
  try {
    const keptFromMs = (await witness.serverTimeMs()) - historyMs;
    const beyond = (what: string) =>
      beyondHistory(series, { what, historyMs, keptFromMs, cause: error });
    if ('timeMs' in from)
      return from.timeMs < keptFromMs ? beyond(new Date(from.timeMs).toISOString()) : error;
    const keptId = await witness.firstIdAtOrAfter(keptFromMs + MARGIN_MS);
    return keptId !== undefined && from.id < keptId ? beyond(`id ${from.id}`) : error;
  } catch {
    // If the age can't be determined, the refusal itself is reported.
    return error;
  }
}
