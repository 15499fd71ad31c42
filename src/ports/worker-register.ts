import type { Limit } from '../domain/plan/hours-at-once.ts';
import type { Market } from '../domain/market.ts';

/** How many hours of a market a worker fetches at a time. */
export interface MarketHours {
  readonly market: Market;
  readonly hours: number;
  /** What keeps it from more. */
  readonly limit?: Limit | undefined;
}

/** A process that works on the queue. */
export interface WorkerFacts {
  readonly host: string;
  readonly pid: number;
  /** The name of the address that its requests leave from. */
  readonly egress: string;
  /** Whether its requests to the exchange go through a proxy. */
  readonly isProxied: boolean;
  readonly version: string;
  /** Hours that it fetches at a time: of each market, or those of the markets that it has worked on. */
  readonly hours: number | readonly MarketHours[];
}

/** A worker as others see it. */
export interface RegisteredWorker extends WorkerFacts {
  /** Its address as Redis sees it; '' when Redis does not say. */
  readonly from: string;
}

/** The workers of an installation, on all hosts, for display; never a proof. */
export interface WorkerRegister {
  /** Announces a worker until the signal aborts, then takes that back. A failure is logged and tried again. */
  announce(facts: () => WorkerFacts, signal: AbortSignal): Promise<void>;
  /**
   * By host and process; one that was killed or cut off is in it for up to half a minute.
   * @throws CdvaultError REDIS_UNREACHABLE, REDIS_REFUSED
   */
  all(): Promise<readonly RegisteredWorker[]>;
}
