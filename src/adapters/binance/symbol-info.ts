import type { Market, Series } from '../../domain/market.ts';
import { MINUTE_MS } from '../../domain/time/hour.ts';
import type { Clock } from '../../ports/clock.ts';
import { decodeSymbols, type SymbolFacts, type SymbolList } from './decode-exchange-info.ts';
import { apiOf } from './market-api.ts';
import type { PatientClient } from './patient-client.ts';
import { INVALID_SYMBOL } from './refusals.ts';

/** The error code for a symbol with characters that no symbol has. */
const ILLEGAL_CHARACTERS = -1100;

/** Every hour after a symbol's end asks: one answer serves all of them for this time. */
const FRESH_MS = MINUTE_MS;

interface Answer {
  readonly symbols: SymbolList;
  readonly atMs: number;
}

/** The symbols in exchangeInfo: one for each request, or all of a market where a symbol can't be named. */
export class SymbolInfo {
  readonly #client: PatientClient;
  readonly #clock: Clock;
  /** The last request for each key. The next call waits for it and uses its answer. */
  readonly #asked = new Map<string, Promise<Answer>>();

  constructor(client: PatientClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @returns undefined if the exchange does not list the symbol */
  async ask(series: Series, signal: AbortSignal): Promise<SymbolFacts | undefined> {
    return (await this.#list(series.market, queryOf(series), signal)).get(series.symbol);
  }

  /** The same, from an answer that may be up to a minute old. */
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
    // If the earlier request failed, its own caller gets the error.
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
