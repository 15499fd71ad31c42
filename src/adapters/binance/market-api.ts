import { HOUR_MS } from '../../domain/time/hour.ts';
import type { Market } from '../../domain/market.ts';

/** The differences between the markets' REST interfaces. */
export interface MarketApi {
  readonly path: string;
  /**
   * Weights from the exchange's documentation. The used-weight header corrects the effect of a wrong one.
   */
  readonly weights: {
    readonly aggTrades: number;
    /** Of a full page. */
    readonly klines: number;
    readonly exchangeInfo: number;
    /** Of all symbols. */
    readonly ticker: number;
  };
  /**
   * True if exchangeInfo takes a symbol; without one its reply has about 20 MB. Else it always lists all
   * symbols.
   */
  readonly infoBySymbol: boolean;
  readonly statusField: 'status' | 'contractStatus';
  /** For a list of the symbols that trade, and for their volumes, with replies as small as can be had. */
  readonly listQueries: { readonly exchangeInfo: string; readonly ticker: string };
  /**
   * Whether replies in microseconds can be requested, so that replies in the other unit must be refused.
   */
  readonly hasTimeUnits: boolean;
  /** How far back trades are served. */
  readonly historyMs: number;
}

/** "Only the past 48 hours" since 2026; older trades are in the archive files. */
const FUTURES = {
  weights: { aggTrades: 20, klines: 5, exchangeInfo: 1, ticker: 40 },
  infoBySymbol: false,
  listQueries: { exchangeInfo: '', ticker: '' },
  hasTimeUnits: false,
  historyMs: 48 * HOUR_MS,
} as const;

const APIS: Readonly<Record<Market, MarketApi>> = {
  binance_spot: {
    path: '/api/v3',
    // The weight of aggTrades is 4 since 2025-03-10.
    weights: { aggTrades: 4, klines: 2, exchangeInfo: 20, ticker: 80 },
    infoBySymbol: true,
    listQueries: {
      exchangeInfo: '?symbolStatus=TRADING&showPermissionSets=false',
      ticker: '?type=MINI',
    },
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
