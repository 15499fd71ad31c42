import { type AggTrade, isInvalid } from '../trade/agg-trade.ts';
import { parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import { HOUR_MS } from '../time/hour.ts';
import { firstAggId, type Slice } from '../market.ts';

/** A trade at the edge of an hour's run of ids, by id and time: also the one just before or just after it. */
export interface Neighbour {
  readonly id: number;
  readonly timeUs: number;
}

export function neighbourOf({ aggId, timeUs }: AggTrade): Neighbour {
  return { id: aggId, timeUs };
}

/** Rows of a run whose time lies in the hour before. */
export interface ReachBack {
  /** Invalid ones included. */
  readonly rows: number;
  readonly invalidRows: number;
  /** Σ quantity of valid rows by taker side, units of 1e-8. */
  readonly buyE8: bigint;
  readonly sellE8: bigint;
}

export const NO_REACH: ReachBack = { rows: 0, invalidRows: 0, buyE8: 0n, sellE8: 0n };

/** `reach` plus one more row of the run whose time lies in the hour before. */
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
 * One row of the ledger: the facts that one fetch of one UTC hour of one series established. `proven` is
 * derived from them, never stored.
 */
export interface SliceRecord extends Slice {
  /** Rows of the hour's run of ids, invalid ones included. */
  readonly rows: number;
  /** undefined in an hour without trades. */
  readonly first: Neighbour | undefined;
  readonly last: Neighbour | undefined;
  /** undefined when no trade before the hour is known: the series starts in it, or that trade was never seen. */
  readonly prev: Neighbour | undefined;
  /** undefined while no later trade exists. */
  readonly next: Neighbour | undefined;
  /**
   * Set when the exchange no longer trades the symbol: up to this instant no trade has followed. It proves
   * the hour's end in place of a next trade, and is removed as soon as a later trade is seen.
   */
  readonly endedAtMs: number | undefined;
  readonly invalidRows: number;
  /** Rows inside the run whose time lies outside the hour or before their predecessor's. */
  readonly backwardRows: number;
  /** Rows of the run whose time lies in the hour before. */
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
 * `proven`: contiguous ids, with the trade before the hour and the one after it. `open`: contiguous, but
 * no later trade exists yet; the hour is due again. `gap`: ids are missing, or may be.
 */
export type Verdict = 'proven' | 'open' | 'gap';

/** The facts of a ledger row that decide whether the hour is proven. */
type IdFacts = Pick<
  SliceRecord,
  'market' | 'hourMs' | 'rows' | 'first' | 'last' | 'prev' | 'next' | 'endedAtMs'
>;

/**
 * Ids missing inside the run and at its edges; undefined when they can't be counted: the trade before was
 * never seen, and the first known one does not have the lowest possible id.
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

/** Whether an id belongs to an hour's run. */
export function claims(
  { first, last }: Pick<SliceRecord, 'first' | 'last'>,
  aggId: number,
): boolean {
  return first !== undefined && last !== undefined && first.id <= aggId && aggId <= last.id;
}

/** Whether an id belongs to an hour's run that has rows whose time lies in the hour before. */
export function reachesBack(record: SliceRecord, aggId: number): boolean {
  return record.reachBack.rows > 0 && claims(record, aggId);
}
