import { HOUR_MS } from '../../domain/time/hour.ts';
import type { Market } from '../../domain/market.ts';

/** All that differs between the markets' REST interfaces. */
export interface MarketApi {
  readonly path: string;
  /** Weights of the exchange's tables. A wrong one corrects itself by the used-weight header. */
  readonly weights: {
    readonly aggTrades: number;
    /** Of a full page. */
    readonly klines: number;
    readonly exchangeInfo: number;
  };
  /** exchangeInfo takes a symbol, and without one its reply is some 20 MB; elsewhere it always lists all. */
  readonly infoBySymbol: boolean;
  readonly statusField: 'status' | 'contractStatus';
  /** Whether replies in microseconds can be asked for, and other units must be refused. */
  readonly hasTimeUnits: boolean;
  /** How far back trades are served. */
  readonly historyMs: number;
}

/** "Only the past 48 hours" since 2026; what is older is in the archive files. */
const FUTURES = {
  weights: { aggTrades: 20, klines: 5, exchangeInfo: 1 },
  infoBySymbol: false,
  hasTimeUnits: false,
  historyMs: 48 * HOUR_MS,
} as const;

const APIS: Readonly<Record<Market, MarketApi>> = {
  binance_spot: {
    path: '/api/v3',
    // aggTrades since 2025-03-10.
    weights: { aggTrades: 4, klines: 2, exchangeInfo: 20 },
    infoBySymbol: true,
    statusField: 'status',
    hasTimeUnits: true,
    historyMs: Infinity,
  },
  binance_um: { ...FUTURES, path: '/fapi/v1', statusField: 'status' },
  binance_cm: { ...FUTURES, path: '/dapi/v1', statusField: 'contractStatus' },
};

export function apiOf(market: Market): MarketApi {
  return APIS[market];
}
