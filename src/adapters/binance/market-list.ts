import { z } from 'zod';
import { CdvaultError } from '../../domain/errors.ts';
import type { Market } from '../../domain/market.ts';
import type { ListedSymbol } from '../../domain/plan/schedule-rule.ts';
import type { MarketList } from '../../ports/schedule-rules.ts';
import { apiOf } from './market-api.ts';
import type { PatientClient } from './patient-client.ts';

const listed = z.object({
  symbols: z.array(
    z.object({
      symbol: z.string(),
      quoteAsset: z.string(),
      status: z.string().optional(),
      contractStatus: z.string().optional(),
      onboardDate: z.int().positive().optional(),
    }),
  ),
});

const volumes = z.array(
  z.object({ symbol: z.string(), quoteVolume: z.string().regex(/^\d+(\.\d+)?$/) }),
);

/** What a market lists now, and how much of it is traded. */
export class BinanceMarketList implements MarketList {
  readonly #client: PatientClient;

  constructor(client: PatientClient) {
    this.#client = client;
  }

  listedSymbols(market: Market, signal: AbortSignal): Promise<readonly ListedSymbol[]> {
    const { path, weights, statusField, listQueries } = apiOf(market);
    return this.#client.ask(
      {
        market,
        path: `${path}/exchangeInfo`,
        query: listQueries.exchangeInfo,
        weight: weights.exchangeInfo,
        governed: true,
        decode: (body, request) =>
          parsed(listed, body, request).symbols.map((one) => ({
            symbol: one.symbol,
            quote: one.quoteAsset,
            isTrading: one[statusField] === 'TRADING',
            listedMs: one.onboardDate,
          })),
      },
      signal,
    );
  }

  quoteVolumes(market: Market, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { path, weights, listQueries } = apiOf(market);
    return this.#client.ask(
      {
        market,
        path: `${path}/ticker/24hr`,
        query: listQueries.ticker,
        weight: weights.ticker,
        governed: true,
        decode: (body, request) =>
          new Map(
            parsed(volumes, body, request).map((one) => [one.symbol, Number(one.quoteVolume)]),
          ),
      },
      signal,
    );
  }
}

/** @throws CdvaultError EXCHANGE_BAD_BODY */
function parsed<T>(schema: z.ZodType<T>, body: unknown, request: string): T {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  throw new CdvaultError('EXCHANGE_BAD_BODY', `${request}: not a list of symbols`, {
    cause: found.error,
  });
}
