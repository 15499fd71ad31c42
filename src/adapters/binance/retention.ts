import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { beyondHistory } from '../../domain/plan/retention.ts';
import { apiOf } from './market-api.ts';

/** Where a question for trades starts. */
export type From = { readonly timeMs: number } | { readonly id: number };

interface Witness {
  /** The exchange's own clock. */
  serverTimeMs(): Promise<number>;
  firstIdAtOrAfter(timeMs: number): Promise<number | undefined>;
}

/** The horizon moves on while it is asked for. */
const MARGIN_MS = MINUTE_MS;

/**
 * Which code refuses a question older than the history is not documented: such an error is known by
 * the question's age on the exchange's own clock. An id's age is that of the oldest one still served.
 * @returns RETENTION where that is why the question failed, else the error as it is
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
    // Whoever can't tell its age reports the refusal itself.
    return error;
  }
}
