/** The three exchanges that a request can be for. Here they share a host name, but nothing else. */
export type ExchangeMarket = 'spot' | 'um' | 'cm';

export const EXCHANGE_MARKETS: readonly ExchangeMarket[] = ['spot', 'um', 'cm'];

const PREFIXES: Readonly<Record<ExchangeMarket, string>> = {
  spot: '/api/v3/',
  um: '/fapi/v1/',
  cm: '/dapi/v1/',
};

/** Request weight a minute; each market counts its own. */
export const WEIGHT_LIMITS: Readonly<Record<ExchangeMarket, number>> = {
  spot: 6000,
  um: 2400,
  cm: 2400,
};

export interface Place {
  readonly market: ExchangeMarket;
  /** `aggTrades` */
  readonly endpoint: string;
}

/** undefined for any other path */
export function placeOf(path: string): Place | undefined {
  for (const market of EXCHANGE_MARKETS) {
    const prefix = PREFIXES[market];
    if (path.startsWith(prefix)) return { market, endpoint: path.slice(prefix.length) };
  }
  return undefined;
}
