import {
  type LimitFacts,
  quoteAssetOf,
  type SymbolStatus,
  type TradeSteps,
} from './exchange-info.ts';

export interface FuturesSymbol {
  readonly symbol: string;
  readonly status: SymbolStatus;
  readonly steps: TradeSteps;
  readonly onboardMs: number;
  /** COIN-M: value of one contract in USD */
  readonly contractSize: number;
}

const NEVER_DELIVERED_MS = 4_133_404_800_000;

/** All symbols of a futures market: the endpoint takes no symbol. */
export function futuresInfoJson(
  market: 'um' | 'cm',
  symbols: readonly FuturesSymbol[],
  limits: LimitFacts,
  nowMs: number,
): string {
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: nowMs,
    futuresType: market === 'um' ? 'U_MARGINED' : undefined,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', ...limits.weightWindow, limit: limits.weightLimit },
      { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
    ],
    exchangeFilters: [],
    symbols: symbols.map((each) => ({ ...commonInfo(each), ...ownInfo(market, each) })),
  });
}

function commonInfo({ symbol, steps, onboardMs }: FuturesSymbol): Record<string, unknown> {
  return {
    symbol,
    pair: symbol.replace(/_.*$/, ''),
    contractType: 'PERPETUAL',
    deliveryDate: NEVER_DELIVERED_MS,
    onboardDate: onboardMs,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: steps.tickSize, tickSize: steps.tickSize },
      { filterType: 'LOT_SIZE', minQty: steps.stepSize, stepSize: steps.stepSize },
    ],
    orderTypes: ['LIMIT', 'MARKET', 'STOP'],
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX'],
  };
}

function ownInfo(
  market: 'um' | 'cm',
  { symbol, status, contractSize }: FuturesSymbol,
): Record<string, unknown> {
  const quoteAsset = quoteAssetOf(symbol);
  if (market === 'um') return { status, quoteAsset, marginAsset: quoteAsset };
  return { contractStatus: status, contractSize, quoteAsset: 'USD' };
}
