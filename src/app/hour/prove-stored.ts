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

/** The store looks for doubles that far around an hour: see StoredRun.doubleRows. */
const DOUBLE_SEARCH_US = 1_000_000;

export interface HourToProve {
  readonly facts: RunFacts;
  readonly keys: RunKeys;
  readonly stored?: StoredRun;
  /** Whether an id is of a later hour that is being proven with this one, and has no ledger row yet. */
  readonly isOfLater?: (aggId: number) => boolean;
}

interface ProofDeps {
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly log: Log;
}

/**
 * Reads an hour back from the store and compares it with what was fetched: count, ids, exact sums,
 * no id under two times. Rows that the exchange does not have are overwritten by tombstones.
 * @param hour as it was fetched; `stored` where it has been read back already
 * @returns what had to be buried, as gaps with evidence
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
      `${symbol} ${isoHour(hourMs)}: fetched ${wanted.rows} rows (${wanted.firstId ?? '-'} to ${wanted.lastId ?? '-'}), other hours' ${claimed.length}, ` +
        `the store gives back ${stored.rows} (${stored.firstId ?? '-'} to ${stored.lastId ?? '-'}), ${stored.doubleRows} of them double`,
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
  const evidence = `a stored row with this id at ${timeUs} µs is not the exchange's; overwritten by a tombstone`;
  return { hourMs, gapClass: 'duplicate_id', fromId: aggId, toId: aggId + 1, evidence };
}

/**
 * Rows of the run that lie in the hour before it: each must be there, and under no other time. That hour
 * leaves them alone, as far as it can tell whose they are.
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
    `${symbol} ${isoHour(hourMs)}: the store does not give back ${[...lost].join(', ')}, older than the hour`,
  );
}

/** What the store must give back of an hour; sums are left out where they can't be told apart. */
type Expected = Omit<StoredRun, 'buyQty' | 'sellQty'> &
  Partial<Pick<StoredRun, 'buyQty' | 'sellQty'>>;

/** A row whose time runs backwards over the hour's start is in the run, but not in the hour's window. */
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

/** Rows of later hours' runs count in the hour in which their time lies. */
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

/** What the store holds in an hour besides its fetched rows. */
interface OthersStored {
  /**
   * Rows that the exchange does not have: ids that this run should hold, or that the next one holds
   * elsewhere; and, up to a second outside the hour, fetched ids under another time.
   */
  readonly strangers: readonly TradeKey[];
  /** Rows of the next hour's run, which may just be fetched and have no ledger row yet. */
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
  const behind: AggTrade[] = [];
  for await (const trade of deps.trades.read(slice, wider)) {
    const { aggId, timeUs } = trade;
    if (fetched.get(aggId) === timeUs) continue;
    if (fetched.has(aggId)) strangers.push({ aggId, timeUs });
    else if (timeUs < startUs || timeUs >= endUs) continue;
    else if (isOfLater(aggId) || (next !== undefined && reachesBack(next, aggId)))
      claimed.push(trade);
    else if (next === undefined && aggId >= nextId) behind.push(trade);
    else strangers.push({ aggId, timeUs });
  }
  const reached = behind.length === 0 ? nextId : await reachedFrom(deps, slice, nextId);
  for (const trade of behind) {
    if (trade.aggId < reached) claimed.push(trade);
    else strangers.push(trade);
  }
  return { strangers, claimed };
}

/**
 * How far the next hour's run is stored without a hole, while it has no ledger row: it may just be
 * fetched. @returns the first id that is not stored
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
