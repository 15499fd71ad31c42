import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';

export type TimeUnit = 'ms' | 'us';

/** Plain decimals as the exchange writes them: no sign, no exponent, at most its own 8 places. */
const DECIMAL = /^\d{1,20}(?:\.\d{1,8})?$/;

/**
 * Between any milliseconds (until the year 5138) and any microseconds (since 1973): a reply in the
 * other unit than asked for, from a proxy that drops our header, must not be stored as time.
 */
const US_FROM = 1e14;

/**
 * Rows of an aggTrades reply, checked field by field by hand: a schema library takes ten times as
 * long, and every trade of a backfill passes here.
 * @param request names the request in errors, e.g. "GET /api/v3/aggTrades?…"
 * @throws CdvaultError EXCHANGE_BAD_BODY for a row that is not one, EXCHANGE_BAD_PAGE when ids fall
 */
export function decodePage(body: unknown, unit: TimeUnit, request: string): readonly AggTrade[] {
  if (!Array.isArray(body)) throw badBody(request, 'the reply is not an array');
  const trades: AggTrade[] = [];
  let previousId = -1;
  for (const row of body as readonly unknown[]) {
    const trade = decodeRow(row, unit);
    if (trade === undefined) {
      throw badBody(
        request,
        `row ${trades.length} is not an aggregate trade in ${unit}: ${JSON.stringify(row).slice(0, 120)}`,
      );
    }
    // An id that repeats may do so for good: the caller asks again, then puts it on record.
    if (trade.aggId < previousId) throw badPage(request, `id ${trade.aggId} follows ${previousId}`);
    previousId = trade.aggId;
    trades.push(trade);
  }
  return trades;
}

function decodeRow(row: unknown, unit: TimeUnit): AggTrade | undefined {
  if (typeof row !== 'object' || row === null) return undefined;
  const { a, p, q, f, l, T, m } = row as Readonly<Record<string, unknown>>;
  if (typeof p !== 'string' || typeof q !== 'string' || typeof m !== 'boolean') return undefined;
  if (!isInteger(a) || a < 0 || !isInteger(f) || !isInteger(l) || !isInteger(T)) return undefined;
  if (!DECIMAL.test(p) || !DECIMAL.test(q) || T <= 0 || T >= US_FROM !== (unit === 'us'))
    return undefined;
  const timeUs = unit === 'us' ? T : T * 1000;
  return { aggId: a, price: p, qty: q, firstId: f, lastId: l, timeUs, isBuyerMaker: m };
}

/** JSON numbers above 2^53 have lost digits already, so that they can't be ids. */
function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** A page that starts after the id asked is a hole for the caller to record; one before it is a fault. */
export function assertStartsFrom(
  trades: readonly AggTrade[],
  fromId: number,
  request: string,
): void {
  const [first] = trades;
  if (first !== undefined && first.aggId < fromId)
    throw badPage(request, `it starts at id ${first.aggId}`);
}

export function assertNotBefore(
  trade: AggTrade | undefined,
  timeMs: number,
  request: string,
): void {
  if (trade === undefined || trade.timeUs >= timeMs * 1000) return;
  throw badPage(request, `id ${trade.aggId} is of ${trade.timeUs} µs, before the time asked for`);
}

function badBody(request: string, what: string): CdvaultError {
  return new CdvaultError('EXCHANGE_BAD_BODY', `${request}: ${what}`);
}

function badPage(request: string, what: string): CdvaultError {
  return new CdvaultError('EXCHANGE_BAD_PAGE', `${request}: ${what}`);
}
