import type { Market, Series } from '../../domain/market.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import { decodeSymbols, type SymbolFacts, type SymbolList } from './decode-exchange-info.ts';
import { apiOf } from './market-api.ts';
import type { PatientClient } from './patient-client.ts';
import { INVALID_SYMBOL } from './refusals.ts';

/** What a symbol with characters that no symbol has gets. */
const ILLEGAL_CHARACTERS = -1100;

/** Every hour behind a symbol's end asks: so long one answer is good for all of them. */
const FRESH_MS = MINUTE_MS;

interface Answer {
  readonly symbols: SymbolList;
  readonly atMs: number;
}

/** What exchangeInfo says of symbols: of one at a time, or of a whole market where it can't be asked so. */
export class SymbolInfo {
  readonly #client: PatientClient;
  readonly #clock: Clock;
  /** The last question of each kind: the next one waits for it, then needs none of its own. */
  readonly #asked = new Map<string, Promise<Answer>>();

  constructor(client: PatientClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** undefined where the exchange does not list the symbol. */
  async ask(series: Series, signal: AbortSignal): Promise<SymbolFacts | undefined> {
    return (await this.#list(series.market, queryOf(series), signal)).get(series.symbol);
  }

  /** The same, up to a minute old. */
  async recent(series: Series, signal: AbortSignal): Promise<SymbolFacts | undefined> {
    const query = queryOf(series);
    const key = series.market + query;
    const before = this.#asked.get(key);
    const asked = this.#askUnlessFresh(before, series.market, query, signal);
    this.#asked.set(key, asked);
    return (await asked).symbols.get(series.symbol);
  }

  async #askUnlessFresh(
    before: Promise<Answer> | undefined,
    market: Market,
    query: string,
    signal: AbortSignal,
  ): Promise<Answer> {
    // A question that failed was another's: its error went there.
    const [known] = await Promise.allSettled(before === undefined ? [] : [before]);
    if (known?.status === 'fulfilled' && this.#clock.nowMs() - known.value.atMs < FRESH_MS)
      return known.value;
    const atMs = this.#clock.nowMs();
    return { symbols: await this.#list(market, query, signal), atMs };
  }

  #list(market: Market, query: string, signal: AbortSignal): Promise<SymbolList> {
    const { path, weights, statusField } = apiOf(market);
    return this.#client.ask<SymbolList>(
      {
        market,
        path: `${path}/exchangeInfo`,
        query,
        weight: weights.exchangeInfo,
        governed: true,
        fromCode: (code) =>
          code === INVALID_SYMBOL || code === ILLEGAL_CHARACTERS ? new Map() : undefined,
        decode: (body, request) => decodeSymbols(body, statusField, request),
      },
      signal,
    );
  }
}

function queryOf({ market, symbol }: Series): string {
  return apiOf(market).infoBySymbol ? `?symbol=${encodeURIComponent(symbol)}` : '';
}
