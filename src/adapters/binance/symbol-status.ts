import type { Series } from '../../domain/market.ts';
import { MINUTE_MS } from '../../domain/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import { decodeStatus } from './exchange-facts.ts';
import type { PatientClient } from './patient-client.ts';

const EXCHANGE_INFO_WEIGHT = 20;

const INVALID_SYMBOL = -1121;
/** What a symbol with characters that no symbol has gets. */
const ILLEGAL_CHARACTERS = -1100;

/** Every hour behind a symbol's end asks: so long one answer is good for all of them. */
const FRESH_MS = MINUTE_MS;

interface Answer {
  readonly status: string;
  readonly atMs: number;
}

/** What exchangeInfo says of single symbols. */
export class SymbolStatuses {
  readonly #client: PatientClient;
  readonly #clock: Clock;
  /** The last question of each symbol: the next one waits for it, then needs none of its own. */
  readonly #asked = new Map<string, Promise<Answer>>();

  constructor(client: PatientClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** TRADING, HALT, BREAK, …; `unlisted` where the exchange does not list the symbol. */
  ask({ market, symbol }: Series, signal: AbortSignal): Promise<string> {
    return this.#client.ask(
      {
        market,
        path: '/api/v3/exchangeInfo',
        query: `?symbol=${encodeURIComponent(symbol)}`,
        weight: EXCHANGE_INFO_WEIGHT,
        governed: true,
        fromCode: (code) =>
          code === INVALID_SYMBOL || code === ILLEGAL_CHARACTERS ? 'unlisted' : undefined,
        decode: (body, request) => decodeStatus(body, symbol, request),
      },
      signal,
    );
  }

  /** The same, up to a minute old. */
  async recent(series: Series, signal: AbortSignal): Promise<string> {
    const key = `${series.market} ${series.symbol}`;
    const before = this.#asked.get(key);
    const asked = this.#askUnlessFresh(before, series, signal);
    this.#asked.set(key, asked);
    return (await asked).status;
  }

  async #askUnlessFresh(
    before: Promise<Answer> | undefined,
    series: Series,
    signal: AbortSignal,
  ): Promise<Answer> {
    // A question that failed was another's: its error went there.
    const [known] = await Promise.allSettled(before === undefined ? [] : [before]);
    if (known?.status === 'fulfilled' && this.#clock.nowMs() - known.value.atMs < FRESH_MS)
      return known.value;
    const atMs = this.#clock.nowMs();
    return { status: await this.ask(series, signal), atMs };
  }
}
