import type { RunFacts } from '../domain/continuity.ts';
import { formatDecimal, QTY_SCALE } from '../domain/decimal.ts';
import { CdvaultError } from '../domain/errors.ts';
import { HOUR_MS, hourWindowUs, isoHour } from '../domain/hour.ts';
import type { SliceRecord } from '../domain/ledger.ts';
import type { Series } from '../domain/market.ts';
import type { Gap, Ledger } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { StoredRun, TradeKey, TradeStore } from '../ports/trade-store.ts';

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
  if (matches(facts, await deps.trades.readBack(series, window))) return [];

  const strangers = await findStrangers(deps, series, hourMs, keys);
  if (strangers.length > 0) {
    deps.log.warn(
      { symbol: series.symbol, hour: isoHour(hourMs), rows: strangers.length },
      'burying rows that the exchange does not have',
    );
    await deps.trades.bury(series, strangers, signal);
  }
  const stored = await deps.trades.readBack(series, window);
  // Rows whose time lies outside the hour are in the run, but not in the hour's window.
  if (facts.backwardRows === 0 && !matches(facts, stored)) {
    throw new CdvaultError(
      'READ_BACK_MISMATCH',
      `${series.symbol} ${isoHour(hourMs)}: fetched ${facts.rows} rows (${facts.first?.id ?? '-'} to ${facts.last?.id ?? '-'}), ` +
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

function matches(facts: RunFacts, stored: StoredRun): boolean {
  return (
    stored.rows === facts.rows &&
    stored.doubleRows === 0 &&
    stored.firstId === facts.first?.id &&
    stored.lastId === facts.last?.id &&
    stored.buyQty === formatDecimal(facts.buyE8, QTY_SCALE) &&
    stored.sellQty === formatDecimal(facts.sellE8, QTY_SCALE)
  );
}

/** Stored keys of the hour that were not fetched and that no neighbouring hour's run claims. */
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
  const strangers: TradeKey[] = [];
  for await (const { aggId, timeUs } of deps.trades.read(series, hourWindowUs(hourMs))) {
    if (fetched.get(aggId) === timeUs) continue;
    if (!neighbours.some((record) => claims(record, aggId))) strangers.push({ aggId, timeUs });
  }
  return strangers;
}

function claims(record: SliceRecord | undefined, aggId: number): boolean {
  const { first, last } = record ?? {};
  return first !== undefined && last !== undefined && first.id <= aggId && aggId <= last.id;
}
