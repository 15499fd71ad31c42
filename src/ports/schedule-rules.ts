import type { Market } from '../domain/market.ts';
import type { ListedSymbol, ScheduleRule } from '../domain/plan/schedule-rule.ts';

/** The rules of the schedule, in the store. */
export interface ScheduleRules {
  all(): Promise<readonly ScheduleRule[]>;
  /** Replaces the rule of the same market and quote asset. */
  set(rule: ScheduleRule): Promise<void>;
  end(rule: Pick<ScheduleRule, 'market' | 'quote'>): Promise<void>;
}

/** What the exchange lists. Each call is one request for the whole market. */
export interface MarketList {
  /** On spot only the symbols that trade. */
  listedSymbols(market: Market, signal: AbortSignal): Promise<readonly ListedSymbol[]>;
  /** Of the last 24 hours, in the quote asset, by symbol, rounded: they are only compared with each other. */
  quoteVolumes(market: Market, signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
}
