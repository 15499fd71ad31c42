/**
 * Hours after which no trade follows, because the exchange no longer trades the symbol. The exchange's
 * statement replaces the next trade that would prove their end. This applies only to closed hours, so a
 * symbol that trades again can only add trades after them.
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
import { askBriefly } from '../witness.ts';

interface EndDeps {
  readonly source: TradeSource;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** The trade before a run of ids, and how the run ends, as in the ledger. */
type Edges = Pick<SliceRecord, 'prev' | 'endedAtMs'>;

/**
 * @param facts of an hour that has just been fetched
 * @returns `endedAtMs` is set when no trade follows and none will. For an hour after the symbol's last
 *   trade, which no id was known of, `prev` is that last trade
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

/** A ledger row without run and version of its writer. */
export type HourRecord = Omit<SliceRecord, 'runId' | 'codeVersion'>;

/**
 * An hour of a symbol whose trades the exchange no longer serves at all, from the ledger alone.
 * @returns undefined when the ledger does not have the end of the symbol's trades either
 */
export async function purgedHour(
  { source, ledger, clock }: EndDeps,
  slice: Slice,
  signal: AbortSignal,
): Promise<HourRecord | undefined> {
  const { hourMs } = slice;
  if (await source.isTrading(slice, signal)) return undefined;
  const own = await ledger.record(slice, hourMs);
  // It was closed when it was fetched, and no later trade existed: all its trades are known.
  if (own !== undefined && own.rows > 0 && verdictOf(own) === 'open')
    return { ...own, endedAtMs: own.fetchedAtMs };
  const before = await ledger.lastBefore(slice, hourMs);
  const tail = before?.last ?? before?.prev;
  if (before === undefined || tail === undefined || before.next !== undefined) return undefined;
  const endedAtMs = seenUntilMs(before);
  // An hour that was not seen before the exchange dropped the symbol stays open.
  const isCovered = endedAtMs !== undefined && endedAtMs >= hourMs + HOUR_MS;
  return {
    ...silentHour(slice, tail, 'rest'),
    endedAtMs: isCovered ? endedAtMs : undefined,
    fetchedAtMs: clock.nowMs(),
  };
}

/**
 * Until when it is known that no trade followed an hour. undefined for an hour without rows and without
 * `endedAtMs`: the exchange may not have been asked.
 */
function seenUntilMs({ endedAtMs, rows, fetchedAtMs }: SliceRecord): number | undefined {
  return endedAtMs ?? (rows > 0 ? fetchedAtMs : undefined);
}

/** The ledger facts of an hour without trades. */
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
 * Whether a symbol's trades end with the last one in its files: no later file has been published for
 * LATEST_MS, longer than any known delay, and the exchange no longer trades the symbol. Nothing is assumed
 * when one of the two can't be asked.
 * @returns the end, valid for hours up to `untilMs`; or a text that says why it is unknown; '' when a
 *   later file may only be late
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
  if (hasLater === undefined) return 'it is unknown whether there are files of later days';
  if (hasLater) return 'there are files with later trades';
  const isTrading = await askBriefly(signal, (briefly) => source.isTrading(series, briefly));
  if (isTrading instanceof CdvaultError)
    return `the exchange could not be asked whether it still trades ${series.symbol} (${isTrading.code})`;
  if (isTrading) return `the exchange still trades ${series.symbol}`;
  return { untilMs: nowMs - LATEST_MS, atMs: nowMs };
}
