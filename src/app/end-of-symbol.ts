/**
 * Hours that no trade will ever follow, since the exchange no longer trades the symbol: its word stands
 * in for the successor that would prove their end. Whatever is said here holds for hours that have
 * closed, so that a symbol that trades again can only add trades behind them.
 */

import type { RunFacts } from '../domain/hour-run.ts';
import { contentHasher } from '../domain/content-hash.ts';
import { HOUR_MS, hourWindowUs } from '../domain/hour.ts';
import { type Neighbour, NO_REACH, type SliceRecord, verdictOf } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { TradeSource } from '../ports/trade-source.ts';

interface EndDeps {
  readonly source: TradeSource;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** What the ledger keeps of how a run of ids ends, and of the trade before it. */
type Edges = Pick<SliceRecord, 'prev' | 'endedAtMs'>;

/**
 * @param facts of an hour that has just been fetched
 * @returns with `endedAtMs` when nothing follows and nothing will; with the symbol's last trade as
 *   `prev` of an hour behind it, which was known by no id
 */
export async function edgesOf(
  { source, clock }: EndDeps,
  series: Series,
  hourMs: number,
  facts: RunFacts,
  signal: AbortSignal,
): Promise<Edges> {
  const open = { prev: facts.prev, endedAtMs: undefined };
  if (facts.next !== undefined || (await source.isTrading(series, signal))) return open;
  const endedAtMs = clock.nowMs();
  if (facts.last !== undefined || facts.prev !== undefined) return { ...open, endedAtMs };
  const newest = await source.newest(series, signal);
  if (newest === undefined || newest.timeUs >= hourWindowUs(hourMs).startUs) return open;
  return { prev: { id: newest.aggId, timeUs: newest.timeUs }, endedAtMs };
}

/** A ledger row without who wrote it. */
export type HourRecord = Omit<SliceRecord, 'runId' | 'codeVersion'>;

/**
 * An hour of a symbol whose trades the exchange has forgotten altogether, from the ledger alone.
 * @returns undefined when the ledger does not know how the symbol's trades ended either
 */
export async function purgedHour(
  { source, ledger, clock }: EndDeps,
  series: Series,
  hourMs: number,
  signal: AbortSignal,
): Promise<HourRecord | undefined> {
  if (await source.isTrading(series, signal)) return undefined;
  const own = await ledger.record(series, hourMs);
  // It had closed when it was fetched, and no later trade was there: all of its own are known.
  if (own !== undefined && own.rows > 0 && verdictOf(own) === 'open')
    return { ...own, endedAtMs: own.fetchedAtMs };
  const before = await ledger.lastBefore(series, hourMs);
  const tail = before?.last ?? before?.prev;
  if (before === undefined || tail === undefined || before.next !== undefined) return undefined;
  const endedAtMs = seenUntilMs(before);
  // What nobody looked at before the exchange forgot it stays open.
  const isCovered = endedAtMs !== undefined && endedAtMs >= hourMs + HOUR_MS;
  return {
    ...silentHour(series, hourMs, tail),
    endedAtMs: isCovered ? endedAtMs : undefined,
    fetchedAtMs: clock.nowMs(),
  };
}

/** Up to when no trade had followed an hour; of one without rows, it may be that nobody could ask. */
function seenUntilMs({ endedAtMs, rows, fetchedAtMs }: SliceRecord): number | undefined {
  return endedAtMs ?? (rows > 0 ? fetchedAtMs : undefined);
}

function silentHour({ market, symbol }: Series, hourMs: number, prev: Neighbour) {
  return {
    market,
    symbol,
    hourMs,
    rows: 0,
    first: undefined,
    last: undefined,
    prev,
    next: undefined,
    invalidRows: 0,
    backwardRows: 0,
    reachBack: NO_REACH,
    buyQty: '0.00000000',
    sellQty: '0.00000000',
    contentHash: contentHasher().digest(),
    source: 'rest' as const,
  };
}
