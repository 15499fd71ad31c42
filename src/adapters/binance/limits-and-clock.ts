import { CdvaultError } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import { decodeLimits, decodeServerTime, type RequestLimits } from './decode-exchange-info.ts';
import { apiOf } from './market-api.ts';
import type { PatientClient } from './patient-client.ts';
import { INVALID_SYMBOL } from './refusals.ts';

const TIME_WEIGHT = 1;

/** Naming a symbol keeps the reply small, where that is possible. This one will not be delisted. */
const SMALL_REPLY_SYMBOL = 'BTCUSDT';

/** The request limits and the clock of each market's server. */
export class LimitsAndClock {
  readonly #client: PatientClient;
  readonly #clock: Clock;

  constructor(client: PatientClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async limits(
    market: Market,
    signal: AbortSignal,
  ): Promise<RequestLimits & { readonly weight: number }> {
    const { path, infoBySymbol, weights } = apiOf(market);
    const queries = infoBySymbol ? [`?symbol=${SMALL_REPLY_SYMBOL}`, ''] : [''];
    for (const [index, query] of queries.entries()) {
      const limits = await this.#limitsBy(market, query, signal);
      if (limits !== 'unknown symbol')
        return { ...limits, weight: (index + 1) * weights.exchangeInfo };
    }
    throw new CdvaultError(
      'EXCHANGE_BAD_BODY',
      `GET ${path}/exchangeInfo: the exchange reports an invalid symbol, but none was sent`,
    );
  }

  async clock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ offsetMs: number; uncertaintyMs: number }> {
    const sentAtMs = this.#clock.nowMs();
    const serverTimeMs = await this.timeMs(market, false, signal);
    const uncertaintyMs = (this.#clock.nowMs() - sentAtMs) / 2;
    return { offsetMs: serverTimeMs - (sentAtMs + uncertaintyMs), uncertaintyMs };
  }

  /** @param governed false when the governor itself asks */
  timeMs(market: Market, governed: boolean, signal: AbortSignal): Promise<number> {
    return this.#client.ask(
      {
        market,
        path: `${apiOf(market).path}/time`,
        query: '',
        weight: TIME_WEIGHT,
        governed,
        decode: decodeServerTime,
      },
      signal,
    );
  }

  #limitsBy(
    market: Market,
    query: string,
    signal: AbortSignal,
  ): Promise<RequestLimits | 'unknown symbol'> {
    const { path, weights } = apiOf(market);
    return this.#client.ask<RequestLimits | 'unknown symbol'>(
      {
        market,
        path: `${path}/exchangeInfo`,
        query,
        weight: weights.exchangeInfo,
        governed: false,
        fromCode: (code) => (code === INVALID_SYMBOL ? 'unknown symbol' : undefined),
        decode: decodeLimits,
      },
      signal,
    );
  }
}
