import { isoHour } from '../../domain/time/hour.ts';
import type { Series } from '../../domain/market.ts';
import { beyondHistory } from '../../domain/plan/retention.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TradeSource } from '../../ports/trade-source.ts';

export interface HistoryDeps {
  readonly source: TradeSource;
  readonly clock: Clock;
}

export function isServed({ source, clock }: HistoryDeps, series: Series, hourMs: number): boolean {
  return hourMs >= clock.nowMs() - source.historyMs(series.market);
}

/**
 * Call it before any request: the exchange may skip what it no longer serves without an error.
 * @throws CdvaultError RETENTION
 */
export function assertServed(deps: HistoryDeps, series: Series, hourMs: number): void {
  if (isServed(deps, series, hourMs)) return;
  const historyMs = deps.source.historyMs(series.market);
  const keptFromMs = deps.clock.nowMs() - historyMs;
  throw beyondHistory(series, { what: isoHour(hourMs), historyMs, keptFromMs });
}
