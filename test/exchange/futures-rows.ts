import { badRequest, type ApiError, type Parameters } from './parameters.ts';
import { readPage, visibleEnd, type Trade, type TradeSeries } from './trade-series.ts';
import type { AggTradesPage } from './agg-trades.ts';

const HOUR_US = 3_600_000_000;

/** Behaviour that the exchange does not document: no test may depend on the numbers. */
export interface FuturesRules {
  /** Default 48 h. */
  readonly historyMs?: number;
  /** The reply to a request that starts before that: an error, or the rows from there on without an error. */
  readonly beyondHistory?: 'refuse' | 'skip';
  readonly beyondHistoryCode?: number;
  readonly wideWindowCode?: number;
}

const DEFAULT_HISTORY_MS = 48 * 3_600_000;

/** Rows of one futures `aggTrades`. Bounds are inclusive; rows always ascend. */
export function selectFuturesRows(
  trades: TradeSeries,
  { fromId, startUs, endUs, limit }: Parameters,
  nowMs: number,
  rules: FuturesRules,
): AggTradesPage {
  if (startUs !== undefined && endUs !== undefined && endUs - startUs >= HOUR_US)
    return { ok: false, error: wideWindow(rules) };
  const keptFromUs = (nowMs - (rules.historyMs ?? DEFAULT_HISTORY_MS)) * 1000;
  const kept = trades.indexAtTime(keptFromUs);
  const shown = visibleEnd(trades, nowMs);
  const endIndex = endUs === undefined ? shown : Math.min(shown, trades.indexAtTime(endUs + 1));
  let index = Math.max(kept, endIndex - limit);
  let isBeyond = endUs !== undefined && endUs < keptFromUs;
  if (fromId !== undefined) {
    index = trades.indexOfId(fromId);
    isBeyond ||= index < kept;
  } else if (startUs !== undefined) {
    index = trades.indexAtTime(startUs);
    isBeyond ||= startUs < keptFromUs;
  }
  if (isBeyond && rules.beyondHistory !== 'skip') return { ok: false, error: tooOld(rules) };
  index = Math.max(kept, index);
  if (index >= endIndex) return { ok: true, rows: [] };
  return { ok: true, rows: readPage(trades, { index, endIndex, rows: limit, nowMs }) };
}

function wideWindow({ wideWindowCode = -4166 }: FuturesRules): ApiError {
  return badRequest(wideWindowCode, 'Search window is restricted to less than 1 hour.');
}

function tooOld({ beyondHistoryCode = -4167 }: FuturesRules): ApiError {
  return badRequest(beyondHistoryCode, 'Search window is too old.');
}

/** Every 37th row includes an order that `nq` leaves out. */
const RPI_EVERY_NTH = 37;

/** Always milliseconds; no `M`; `nq` on USD-M only; decimals without trailing zeros. */
export function futuresRowsJson(rows: readonly Trade[], market: 'um' | 'cm'): string {
  const texts = rows.map((row) => {
    const qty = trimmed(row.q);
    const normal = market === 'um' ? `"nq":"${normalQty(row)}",` : '';
    return (
      `{"a":${row.a},"p":"${trimmed(row.p)}","q":"${qty}",${normal}"f":${row.f},"l":${row.l},` +
      `"T":${Math.floor(row.timeUs / 1000)},"m":${row.m}}`
    );
  });
  return `[${texts.join(',')}]`;
}

function normalQty({ a, q }: Trade): string {
  if (a % RPI_EVERY_NTH !== 0) return trimmed(q);
  const half = BigInt(q.replace('.', '')) / 2n;
  return trimmed(`${half / 100_000_000n}.${String(half % 100_000_000n).padStart(8, '0')}`);
}

function trimmed(decimal: string): string {
  return decimal.replace(/\.?0+$/, '');
}
