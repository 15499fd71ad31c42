import type { TradeSeries } from './trade-series.ts';
import type { WeightWindow } from './weight-meter.ts';

/** SETTLING, CLOSE and DELIVERED are statuses of futures. */
export type SymbolStatus = 'TRADING' | 'HALT' | 'BREAK' | 'SETTLING' | 'CLOSE' | 'DELIVERED';

export interface SymbolFacts {
  readonly symbol: string;
  readonly status: SymbolStatus;
  readonly steps: TradeSteps;
}

/** Smallest steps of price and quantity. */
export interface TradeSteps {
  readonly tickSize: string;
  readonly stepSize: string;
}

const SAMPLED_TRADES = 1000;

export interface LimitFacts {
  readonly weightLimit: number;
  readonly weightWindow: WeightWindow;
}

const QUOTE_ASSETS = [
  'USDT',
  'USDC',
  'FDUSD',
  'BUSD',
  'TUSD',
  'BTC',
  'ETH',
  'BNB',
  'EUR',
  'TRY',
] as const;

export function exchangeInfoJson(
  symbols: readonly SymbolFacts[],
  limits: LimitFacts,
  nowMs: number,
): string {
  return JSON.stringify({
    timezone: 'UTC',
    serverTime: nowMs,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', ...limits.weightWindow, limit: limits.weightLimit },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
      { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: 200_000 },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: symbols.map(symbolInfo),
  });
}

/** The steps of the first trades' prices and quantities. */
export function tradeSteps(trades: TradeSeries): TradeSteps {
  let priceDecimals = 0;
  let qtyDecimals = 0;
  for (let index = 0; index < Math.min(SAMPLED_TRADES, trades.count); index++) {
    const trade = trades.at(index);
    priceDecimals = Math.max(priceDecimals, usedDecimals(trade.p));
    qtyDecimals = Math.max(qtyDecimals, usedDecimals(trade.q));
  }
  return { tickSize: stepText(priceDecimals), stepSize: stepText(qtyDecimals) };
}

function usedDecimals(text: string): number {
  return text.slice(text.indexOf('.') + 1).replace(/0+$/, '').length;
}

function stepText(decimals: number): string {
  return (10 ** -decimals).toFixed(8);
}

/** The asset that the symbol is priced in, by its name. */
export function quoteAssetOf(symbol: string): string {
  return QUOTE_ASSETS.find((asset) => symbol.endsWith(asset) && symbol !== asset) ?? 'USDT';
}

function symbolInfo({ symbol, status, steps }: SymbolFacts): Record<string, unknown> {
  const quoteAsset = quoteAssetOf(symbol);
  return {
    symbol,
    status,
    baseAsset: symbol.endsWith(quoteAsset) ? symbol.slice(0, -quoteAsset.length) : symbol,
    baseAssetPrecision: 8,
    quoteAsset,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET'],
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      {
        filterType: 'PRICE_FILTER',
        minPrice: steps.tickSize,
        maxPrice: '1000000.00000000',
        tickSize: steps.tickSize,
      },
      {
        filterType: 'LOT_SIZE',
        minQty: steps.stepSize,
        maxQty: '90000000000.00000000',
        stepSize: steps.stepSize,
      },
    ],
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'EXPIRE_MAKER',
    allowedSelfTradePreventionModes: ['EXPIRE_MAKER'],
  };
}
