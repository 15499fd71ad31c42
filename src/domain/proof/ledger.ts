import { type AggTrade, isInvalid } from '../trade/agg-trade.ts';
import { parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import { HOUR_MS } from '../time/hour.ts';
import { firstAggId, type Series } from '../market.ts';

/** The neighbour of an hour's run of ids: the trade just before its first or just after its last. */
export interface Neighbour {
  readonly id: number;
  readonly timeUs: number;
}

export function neighbourOf({ aggId, timeUs }: AggTrade): Neighbour {
  return { id: aggId, timeUs };
}

/** Rows of a run that lie in the hour before it by their time. */
export interface ReachBack {
  /** Invalid ones included. */
  readonly rows: number;
  readonly invalidRows: number;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

export const NO_REACH: ReachBack = { rows: 0, invalidRows: 0, buyE8: 0n, sellE8: 0n };

/** With one more row of the run that lies in the hour before. */
export function plusReach(reach: ReachBack, trade: AggTrade): ReachBack {
  const rows = reach.rows + 1;
  if (isInvalid(trade)) return { ...reach, rows, invalidRows: reach.invalidRows + 1 };
  const qtyE8 = parseDecimal(trade.qty, QTY_SCALE);
  const { buyE8, sellE8 } = reach;
  return trade.isBuyerMaker
    ? { ...reach, rows, sellE8: sellE8 + qtyE8 }
    : { ...reach, rows, buyE8: buyE8 + qtyE8 };
}

/**
 * One row of the ledger: what one fetch of one UTC hour of one series proved, in the fetch's own
 * facts. `proven` is derived from them, never stored.
 */
export interface SliceRecord extends Series {
  readonly hourMs: number;
  /** Rows of the hour's id run, invalid ones included. */
  readonly rows: number;
  /** undefined in an hour without trades. */
  readonly first: Neighbour | undefined;
  readonly last: Neighbour | undefined;
  /** undefined when nothing precedes the hour: the series starts in it. */
  readonly prev: Neighbour | undefined;
  /** undefined while no later trade exists. */
  readonly next: Neighbour | undefined;
  /**
   * Set when the exchange no longer trades the symbol: up to then no trade has followed. It proves the
   * hour's end in place of a successor, and is taken back as soon as a later trade is seen.
   */
  readonly endedAtMs: number | undefined;
  readonly invalidRows: number;
  /** Rows inside the run whose time lies outside the hour or before their predecessor's. */
  readonly backwardRows: number;
  /** Those of the run whose time lies in the hour before. */
  readonly reachBack: ReachBack;
  /** Exact sums of valid rows as decimal text, scale 8. */
  readonly buyQty: string;
  readonly sellQty: string;
  /** SHA-256 (hex) over the canonical lines of the run in id order. */
  readonly contentHash: string;
  readonly source: 'rest' | 'archive';
  readonly runId: string;
  readonly codeVersion: string;
  readonly fetchedAtMs: number;
}

/**
 * `proven`: contiguous ids, met by a trade before the hour and one after it.
 * `open`: contiguous, but no later trade exists yet, though one may come: due again. `gap`: ids are missing.
 */
export type Verdict = 'proven' | 'open' | 'gap';

/** What of a row decides whether the hour is proven. */
type IdFacts = Pick<
  SliceRecord,
  'market' | 'hourMs' | 'rows' | 'first' | 'last' | 'prev' | 'next' | 'endedAtMs'
>;

/**
 * Ids missing inside the run and at its edges; undefined when nobody can count them: the trade before
 * was never seen, and the first one known is not the lowest that there can be.
 */
export function missingIds({ market, first, last, prev, next, rows }: IdFacts): number | undefined {
  const head = first ?? next;
  if (prev === undefined && head !== undefined && head.id !== firstAggId(market)) return undefined;
  const startId = prev === undefined ? firstAggId(market) : prev.id + 1;
  if (first === undefined || last === undefined) return next === undefined ? 0 : next.id - startId;
  const after = next === undefined ? 0 : next.id - last.id - 1;
  return first.id - startId + (last.id - first.id + 1 - rows) + after;
}

export function verdictOf(record: IdFacts): Verdict {
  const { prev, next, endedAtMs, hourMs } = record;
  const startUs = hourMs * 1000;
  const endUs = (hourMs + HOUR_MS) * 1000;
  if (missingIds(record) !== 0) return 'gap';
  if (prev !== undefined && prev.timeUs >= startUs) return 'gap';
  if (next === undefined) return endedAtMs === undefined ? 'open' : 'proven';
  return next.timeUs >= endUs ? 'proven' : 'gap';
}

/** True for the ids of an hour's run. */
export function claims(
  { first, last }: Pick<SliceRecord, 'first' | 'last'>,
  aggId: number,
): boolean {
  return first !== undefined && last !== undefined && first.id <= aggId && aggId <= last.id;
}

/** True for the ids of an hour's run, some of which lie in the hour before by their time. */
export function reachesBack(record: SliceRecord, aggId: number): boolean {
  return record.reachBack.rows > 0 && claims(record, aggId);
}
