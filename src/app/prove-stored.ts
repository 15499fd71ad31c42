import type { RunFacts } from '../domain/continuity.ts';
import { formatDecimal, QTY_SCALE } from '../domain/decimal.ts';
import { CdvaultError } from '../domain/errors.ts';
import { HOUR_MS, hourWindowUs, isoHour } from '../domain/hour.ts';
import type { SliceRecord } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { Gap, Ledger } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { StoredRun, TimeWindowUs, TradeKey, TradeStore } from '../ports/trade-store.ts';

/** The store looks for doubles that far around an hour: see StoredRun.doubleRows. */
const DOUBLE_SEARCH_US = 1_000_000;

/** Keys of the fetched rows, as two columns: an hour may have 100,000 of them. */
export interface FetchedKeys {
  readonly ids: number[];
  readonly timesUs: number[];
}

interface ProofDeps {
  readonly trades: TradeStore;
  readonly ledger: Ledger;
  readonly log: Log;
}

/**
 * Reads an hour back from the store and compares it with what was fetched: count, ids, exact sums,
 * no id under two times. Rows that the exchange does not have are overwritten by tombstones.
 * @returns what had to be buried, as gaps with evidence
 * @throws CdvaultError READ_BACK_MISMATCH when rows are missing from the store
 */
export async function proveStored(
  deps: ProofDeps,
  series: Series,
  hourMs: number,
  facts: RunFacts,
  keys: FetchedKeys,
  signal: AbortSignal,
): Promise<Gap[]> {
  const window = hourWindowUs(hourMs);
  const wanted = expectedIn(window, facts, keys);
  if (matches(wanted, await deps.trades.readBack(series, window))) return [];

  const strangers = await findStrangers(deps, series, hourMs, keys);
  if (strangers.length > 0) {
    deps.log.warn(
      { symbol: series.symbol, hour: isoHour(hourMs), rows: strangers.length },
      'burying rows that the exchange does not have',
    );
    await deps.trades.bury(series, strangers, signal);
  }
  const stored = await deps.trades.readBack(series, window);
  if (!matches(wanted, stored)) {
    throw new CdvaultError(
      'READ_BACK_MISMATCH',
      `${series.symbol} ${isoHour(hourMs)}: fetched ${wanted.rows} rows (${wanted.firstId ?? '-'} to ${wanted.lastId ?? '-'}), ` +
        `the store gives back ${stored.rows} (${stored.firstId ?? '-'} to ${stored.lastId ?? '-'}), ${stored.doubleRows} of them double`,
    );
  }
  return strangers.map(({ aggId, timeUs }) => ({
    hourMs,
    gapClass: 'duplicate_id',
    fromId: aggId,
    toId: aggId + 1,
    evidence: `a stored row with this id at ${timeUs} µs is not the exchange's; overwritten by a tombstone`,
  }));
}

/** What the store must give back of an hour; sums are left out where they can't be told apart. */
type Expected = Omit<StoredRun, 'buyQty' | 'sellQty'> &
  Partial<Pick<StoredRun, 'buyQty' | 'sellQty'>>;

/** A row whose time runs backwards over the hour's start is in the run, but not in the hour's window. */
function expectedIn(
  window: TimeWindowUs,
  facts: RunFacts,
  { ids, timesUs }: FetchedKeys,
): Expected {
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

/**
 * Stored keys that were not fetched and that no neighbouring hour's run claims; and, up to a second
 * outside the hour, fetched ids that stand there under another time.
 */
async function findStrangers(
  deps: ProofDeps,
  series: Series,
  hourMs: number,
  keys: FetchedKeys,
): Promise<TradeKey[]> {
  const fetched = new Map(keys.ids.map((aggId, index) => [aggId, keys.timesUs[index]]));
  const neighbours = [
    await deps.ledger.record(series, hourMs - HOUR_MS),
    await deps.ledger.record(series, hourMs + HOUR_MS),
  ];
  const { startUs, endUs } = hourWindowUs(hourMs);
  const wider = { startUs: startUs - DOUBLE_SEARCH_US, endUs: endUs + DOUBLE_SEARCH_US };
  const strangers: TradeKey[] = [];
  for await (const { aggId, timeUs } of deps.trades.read(series, wider)) {
    if (fetched.get(aggId) === timeUs) continue;
    const isInside = timeUs >= startUs && timeUs < endUs;
    const isClaimed = neighbours.some((record) => claims(record, aggId));
    if (fetched.has(aggId) || (isInside && !isClaimed)) strangers.push({ aggId, timeUs });
  }
  return strangers;
}

function claims(record: SliceRecord | undefined, aggId: number): boolean {
  const { first, last } = record ?? {};
  return first !== undefined && last !== undefined && first.id <= aggId && aggId <= last.id;
}
