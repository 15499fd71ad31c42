import { type AggTrade, isInvalid } from '../../domain/trade/agg-trade.ts';
import { BACKWARD_BOUND_MS } from '../../domain/proof/foreign-rows.ts';
import type { RunFacts, RunKeys } from '../../domain/proof/hour-run.ts';
import { formatDecimal, parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, hourWindowUs, isoHour } from '../../domain/time/hour.ts';
import { reachesBack } from '../../domain/proof/ledger.ts';
import type { Slice } from '../../domain/market.ts';
import type { Gap, Ledger } from '../../ports/ledger.ts';
import type { Log } from '../../ports/log.ts';
import type { StoredRun, TimeWindowUs, TradeKey, TradeStore } from '../../ports/trade-store.ts';

/** How far around an hour the store looks for doubles: see StoredRun.doubleRows. */
const DOUBLE_SEARCH_US = 1_000_000;

export interface HourToProve {
  readonly facts: RunFacts;
  readonly keys: RunKeys;
  readonly stored?: StoredRun;
  /** Whether an id belongs to a later hour that is proven together with this one and has no ledger row yet. */
  readonly isOfLater?: (aggId: number) => boolean;
}

interface ProofDeps {
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly log: Log;
}

/**
 * Reads an hour back from the store and compares it with what was fetched: count, ids, exact sums, and
 * that no id is stored with two times. Rows that the exchange does not have are overwritten by tombstones.
 * @param hour as it was fetched; `stored` if it has already been read back
 * @returns the rows that were buried, as gaps with evidence
 * @throws CdvaultError READ_BACK_MISMATCH when rows are missing from the store
 */
export async function proveStored(
  deps: ProofDeps,
  slice: Slice,
  hour: HourToProve,
  signal: AbortSignal,
): Promise<Gap[]> {
  const buried = await proveWindow(deps, slice, hour, signal);
  return [...buried, ...(await proveOutside(deps, slice, hour.keys, signal))];
}

async function proveWindow(
  deps: ProofDeps,
  slice: Slice,
  hour: HourToProve,
  signal: AbortSignal,
): Promise<Gap[]> {
  const { symbol, hourMs } = slice;
  const window = hourWindowUs(hourMs);
  const wanted = expectedIn(window, hour.facts, hour.keys);
  if (matches(wanted, hour.stored ?? (await deps.trades.readBack(slice, window)))) return [];

  const { strangers, claimed } = await othersStored(deps, slice, hour);
  await bury(deps, slice, strangers, signal);
  const stored = await deps.trades.readBack(slice, window);
  if (!matches(withClaimed(wanted, claimed), stored)) {
    throw new CdvaultError(
      'READ_BACK_MISMATCH',
      `${symbol} ${isoHour(hourMs)}: fetched ${wanted.rows} rows (${wanted.firstId ?? '-'} to ${wanted.lastId ?? '-'}), ${claimed.length} of other hours, ` +
        `but the store returns ${stored.rows} (${stored.firstId ?? '-'} to ${stored.lastId ?? '-'}), ${stored.doubleRows} of them double`,
    );
  }
  return strangers.map((key) => buriedGap(hourMs, key));
}

async function bury(
  { trades, log }: Pick<ProofDeps, 'trades' | 'log'>,
  slice: Slice,
  strangers: readonly TradeKey[],
  signal: AbortSignal,
): Promise<void> {
  if (strangers.length === 0) return;
  log.warn(
    { symbol: slice.symbol, hour: isoHour(slice.hourMs), rows: strangers.length },
    'burying rows that the exchange does not have',
  );
  await trades.bury(slice, strangers, signal);
}

function buriedGap(hourMs: number, { aggId, timeUs }: TradeKey): Gap {
  const evidence = `the exchange does not have the stored row with this id at ${timeUs} µs; overwritten by a tombstone`;
  return { hourMs, gapClass: 'duplicate_id', fromId: aggId, toId: aggId + 1, evidence };
}

/**
 * Checks the rows of the run whose time lies in the hour before: each must be stored, and with no other
 * time. The check of that hour leaves them alone if it can tell that they belong to this one.
 */
async function proveOutside(
  deps: Pick<ProofDeps, 'trades' | 'log'>,
  slice: Slice,
  { ids, timesUs }: RunKeys,
  signal: AbortSignal,
): Promise<Gap[]> {
  const { symbol, hourMs } = slice;
  const { startUs } = hourWindowUs(hourMs);
  const lost = new Set(ids.filter((_, index) => (timesUs[index] ?? startUs) < startUs));
  if (lost.size === 0) return [];
  const fetched = new Map(ids.map((aggId, index) => [aggId, timesUs[index]]));
  const strangers: TradeKey[] = [];
  const before = { startUs: startUs - BACKWARD_BOUND_MS * 1000, endUs: startUs };
  for await (const { aggId, timeUs } of deps.trades.read(slice, before)) {
    if (fetched.get(aggId) === timeUs) lost.delete(aggId);
    else if (fetched.has(aggId)) strangers.push({ aggId, timeUs });
  }
  await bury(deps, slice, strangers, signal);
  if (lost.size === 0) return strangers.map((key) => buriedGap(hourMs, key));
  throw new CdvaultError(
    'READ_BACK_MISMATCH',
    `${symbol} ${isoHour(hourMs)}: the store does not return ids ${[...lost].join(', ')}, which are older than the hour`,
  );
}

/** What the store must return for an hour; without sums where those of different runs can't be separated. */
type Expected = Omit<StoredRun, 'buyQty' | 'sellQty'> &
  Partial<Pick<StoredRun, 'buyQty' | 'sellQty'>>;

/** A row whose time lies before the hour's start is in the run, but not in the hour's window. */
function expectedIn(window: TimeWindowUs, facts: RunFacts, { ids, timesUs }: RunKeys): Expected {
  const inside = ids.filter((_, index) => {
    const timeUs = timesUs[index] ?? 0;
    return timeUs >= window.startUs && timeUs < window.endUs;
  });
  const run = { rows: inside.length, doubleRows: 0, firstId: inside[0], lastId: inside.at(-1) };
  if (inside.length < ids.length) return run;
  return {
    ...run,
    buyQty: formatDecimal(facts.buyE8, QTY_SCALE),
    sellQty: formatDecimal(facts.sellE8, QTY_SCALE),
  };
}

function matches(wanted: Expected, stored: StoredRun): boolean {
  const names = Object.keys(wanted) as (keyof StoredRun)[];
  return names.every((name) => stored[name] === wanted[name]);
}

/** Adds rows of later hours' runs, which the store counts in the hour of their time. */
function withClaimed(wanted: Expected, claimed: readonly AggTrade[]): Expected {
  if (claimed.length === 0) return wanted;
  const ids = [wanted.firstId, wanted.lastId, ...claimed.map(({ aggId }) => aggId)].filter(
    (id) => id !== undefined,
  );
  const run = {
    ...wanted,
    rows: wanted.rows + claimed.length,
    firstId: Math.min(...ids),
    lastId: Math.max(...ids),
  };
  if (wanted.buyQty === undefined || wanted.sellQty === undefined) return run;
  const valid = claimed.filter((trade) => !isInvalid(trade));
  const plus = (sum: string, isBuyerMaker: boolean) =>
    valid
      .filter((trade) => trade.isBuyerMaker === isBuyerMaker)
      .reduce((e8, { qty }) => e8 + parseDecimal(qty, QTY_SCALE), parseDecimal(sum, QTY_SCALE));
  return {
    ...run,
    buyQty: formatDecimal(plus(wanted.buyQty, false), QTY_SCALE),
    sellQty: formatDecimal(plus(wanted.sellQty, true), QTY_SCALE),
  };
}

/** Stored rows of an hour besides its fetched ones. */
interface OthersStored {
  /**
   * Rows that the exchange does not have: ids that belong to this run, or to the next one with another
   * time; and, up to a second outside the hour, fetched ids with another time.
   */
  readonly strangers: readonly TradeKey[];
  /** Rows of the next hour's run, which may have just been fetched and have no ledger row yet. */
  readonly claimed: readonly AggTrade[];
}

async function othersStored(
  deps: ProofDeps,
  slice: Slice,
  { facts, keys, isOfLater = () => false }: HourToProve,
): Promise<OthersStored> {
  const { hourMs } = slice;
  const nextId = facts.next?.id ?? Infinity;
  const fetched = new Map(keys.ids.map((aggId, index) => [aggId, keys.timesUs[index]]));
  const next = await deps.ledger.record(slice, hourMs + HOUR_MS);
  const { startUs, endUs } = hourWindowUs(hourMs);
  const wider = { startUs: startUs - DOUBLE_SEARCH_US, endUs: endUs + DOUBLE_SEARCH_US };
  const strangers: TradeKey[] = [];
  const claimed: AggTrade[] = [];
  const after: AggTrade[] = [];
  for await (const trade of deps.trades.read(slice, wider)) {
    const { aggId, timeUs } = trade;
    if (fetched.get(aggId) === timeUs) continue;
    if (fetched.has(aggId)) strangers.push({ aggId, timeUs });
    else if (timeUs < startUs || timeUs >= endUs) continue;
    else if (isOfLater(aggId) || (next !== undefined && reachesBack(next, aggId)))
      claimed.push(trade);
    else if (next === undefined && aggId >= nextId) after.push(trade);
    else strangers.push({ aggId, timeUs });
  }
  const reached = after.length === 0 ? nextId : await reachedFrom(deps, slice, nextId);
  for (const trade of after) {
    if (trade.aggId < reached) claimed.push(trade);
    else strangers.push(trade);
  }
  return { strangers, claimed };
}

/**
 * How far the next hour's run is stored without a hole while it has no ledger row: it may be in the
 * middle of its fetch.
 * @returns the first id that is not stored
 */
async function reachedFrom(
  { trades }: Pick<ProofDeps, 'trades'>,
  slice: Slice,
  nextId: number,
): Promise<number> {
  const window = {
    startUs: hourWindowUs(slice.hourMs).startUs,
    endUs: hourWindowUs(slice.hourMs + HOUR_MS).endUs,
  };
  let reached = nextId;
  for await (const { aggId } of trades.read(slice, window)) if (aggId === reached) reached += 1;
  return reached;
}
