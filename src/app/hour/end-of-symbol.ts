/**
 * Hours that no trade will ever follow, since the exchange no longer trades the symbol: its word stands
 * in for the successor that would prove their end. Whatever is said here holds for hours that have
 * closed, so that a symbol that trades again can only add trades behind them.
 */

import type { RunFacts } from '../../domain/proof/hour-run.ts';
import { contentHasher } from '../../domain/trade/content-hash.ts';
import { CdvaultError, isArchiveFault } from '../../domain/errors.ts';
import { DAY_MS, floorTo, HOUR_MS, hourWindowUs } from '../../domain/time/hour.ts';
import {
  type Neighbour,
  NO_REACH,
  type SliceRecord,
  verdictOf,
} from '../../domain/proof/ledger.ts';
import type { Series, Slice } from '../../domain/market.ts';
import { LATEST_MS, mayComeLate } from '../../domain/plan/plan.ts';
import type { ArchiveSource } from '../../ports/archive-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { TradeSource } from '../../ports/trade-source.ts';
import { askBriefly } from '../ask-briefly.ts';

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
  slice: Slice,
  facts: RunFacts,
  signal: AbortSignal,
): Promise<Edges> {
  const open = { prev: facts.prev, endedAtMs: undefined };
  if (facts.next !== undefined || (await source.isTrading(slice, signal))) return open;
  const endedAtMs = clock.nowMs();
  if (facts.last !== undefined || facts.prev !== undefined) return { ...open, endedAtMs };
  const newest = await source.newest(slice, signal);
  if (newest === undefined || newest.timeUs >= hourWindowUs(slice.hourMs).startUs) return open;
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
  slice: Slice,
  signal: AbortSignal,
): Promise<HourRecord | undefined> {
  const { hourMs } = slice;
  if (await source.isTrading(slice, signal)) return undefined;
  const own = await ledger.record(slice, hourMs);
  // It had closed when it was fetched, and no later trade was there: all of its own are known.
  if (own !== undefined && own.rows > 0 && verdictOf(own) === 'open')
    return { ...own, endedAtMs: own.fetchedAtMs };
  const before = await ledger.lastBefore(slice, hourMs);
  const tail = before?.last ?? before?.prev;
  if (before === undefined || tail === undefined || before.next !== undefined) return undefined;
  const endedAtMs = seenUntilMs(before);
  // What nobody looked at before the exchange forgot it stays open.
  const isCovered = endedAtMs !== undefined && endedAtMs >= hourMs + HOUR_MS;
  return {
    ...silentHour(slice, tail, 'rest'),
    endedAtMs: isCovered ? endedAtMs : undefined,
    fetchedAtMs: clock.nowMs(),
  };
}

/** Up to when no trade had followed an hour; of one without rows, it may be that nobody could ask. */
function seenUntilMs({ endedAtMs, rows, fetchedAtMs }: SliceRecord): number | undefined {
  return endedAtMs ?? (rows > 0 ? fetchedAtMs : undefined);
}

/** An hour in which nobody traded. */
export function silentHour(
  { market, symbol, hourMs }: Slice,
  prev: Neighbour,
  source: SliceRecord['source'],
) {
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
    source,
  };
}

/**
 * Whether a symbol's trades end with the last one that its files have: the exchange has published no
 * later file, for as long as one has ever been late, and no longer trades the symbol. What cannot be
 * asked is not assumed.
 * @returns for hours up to `untilMs`, or in words why it is not known; '' where a file may only be late
 */
export async function endOfFiles(
  {
    source,
    archive,
    clock,
  }: Pick<EndDeps, 'source' | 'clock'> & { readonly archive: ArchiveSource },
  series: Series,
  last: Neighbour,
  signal: AbortSignal,
): Promise<{ readonly untilMs: number; readonly atMs: number } | string> {
  const nowMs = clock.nowMs();
  const dayMs = floorTo(last.timeUs / 1000, DAY_MS);
  if (mayComeLate(dayMs, nowMs)) return '';
  const hasLater = await archive
    .hasLater(series, dayMs, last.id, signal)
    .catch((error: unknown) => (isArchiveFault(error) ? error : Promise.reject(error)));
  if (hasLater instanceof CdvaultError)
    return `the file of its month can’t be read: ${hasLater.message}`;
  if (hasLater === undefined) return 'nobody says whether there are files of later days';
  if (hasLater) return 'there are files with later trades';
  const isTrading = await askBriefly(signal, (briefly) => source.isTrading(series, briefly));
  if (isTrading instanceof CdvaultError)
    return `the exchange could not be asked whether it still trades ${series.symbol} (${isTrading.code})`;
  if (isTrading) return `the exchange still trades ${series.symbol}`;
  return { untilMs: nowMs - LATEST_MS, atMs: nowMs };
}
