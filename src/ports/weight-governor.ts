import type { Market } from '../domain/market.ts';

/** Why no request may be sent at present. */
export type PauseReason = 'rate_limited' | 'banned' | 'blocked' | 'restricted';

export interface GovernorState {
  /** Weight used in the running window by all workers, corrected by the exchange's own count. */
  readonly usedWeight: number;
  /** The exchange's limit for a window, before our share is taken. */
  readonly weightLimit: number;
  readonly windowMs: number;
  readonly pause: { readonly reason: PauseReason; readonly untilMs: number } | undefined;
}

/** The budget of request weight of each egress address and market, shared by all workers and hosts. */
export interface WeightGovernor {
  /**
   * Waits until `weight` may be used in the current window, through rate-limit pauses and bans.
   * @throws CdvaultError EXCHANGE_BLOCKED / EXCHANGE_RESTRICTED while the address is blocked, without sending
   */
  acquire(market: Market, weight: number, signal: AbortSignal): Promise<void>;
  /** Records the weight that the exchange reports for its window; it includes other programs. */
  observe(market: Market, usedWeight: number, atMs: number): Promise<void>;
  pause(market: Market, reason: PauseReason, untilMs: number): Promise<void>;
  /** @param egress default: the address of this process */
  state(market: Market, egress?: string): Promise<GovernorState>;
}

/** The exchange's limits as it reported them, and a ban that must survive the loss of Redis. */
export interface ExchangeState {
  readonly weightLimit: number;
  readonly windowMs: number;
  readonly limitsAtMs: number;
  readonly bannedUntilMs: number;
}

export interface ExchangeStateStore {
  load(market: Market, egress: string): Promise<ExchangeState | undefined>;
  save(market: Market, egress: string, state: ExchangeState): Promise<void>;
}
