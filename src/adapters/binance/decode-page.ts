import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';

/** Fields and characters of a wrong row that an error quotes; a row has eight fields. */
const MOST_FIELDS = 12;
const QUOTED_CHARS = 120;

export type TimeUnit = 'ms' | 'us';

/** Decimals as the exchange writes them: no sign, no exponent, at most 8 places. */
const DECIMAL = /^\d{1,20}(?:\.\d{1,8})?$/;

/**
 * All times in milliseconds until the year 5138 are below this, all in microseconds since 1973 above. A reply
 * in the wrong unit, from a proxy that drops our header, must not be stored.
 */
const US_FROM = 1e14;

/**
 * Rows of an aggTrades reply. Every field is checked by code, since a schema library takes ten times as long
 * and every trade of a REST backfill passes here.
 * @param request names the request in errors, e.g. "GET /api/v3/aggTrades?…"
 * @throws CdvaultError EXCHANGE_BAD_BODY for a row that is not a trade, EXCHANGE_BAD_PAGE when ids decrease
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
        `row ${trades.length} is not an aggregate trade in ${unit}: ${described(row)}`,
      );
    }
    // The exchange may repeat an id permanently: the caller asks again, then records it.
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

/** Without what is nested in the row, which may be deeper than a recursive function gets. */
function described(row: unknown): string {
  if (typeof row !== 'object' || row === null) return String(row).slice(0, QUOTED_CHARS);
  const fields = Object.entries(row).slice(0, MOST_FIELDS);
  const shown = fields.map(([name, value]: [string, unknown]) => {
    const text = typeof value === 'object' && value !== null ? '…' : JSON.stringify(value);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${shown.join()}}`.slice(0, QUOTED_CHARS);
}

/** JSON numbers above 2^53 have lost digits already, so they can't be ids. */
function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/**
 * A page that starts after the requested id is a hole, which the caller records.
 * @throws CdvaultError EXCHANGE_BAD_PAGE when it starts before that id
 */
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
  throw badPage(
    request,
    `id ${trade.aggId} has the time ${trade.timeUs} µs, before the requested time`,
  );
}

function badBody(request: string, what: string): CdvaultError {
  return new CdvaultError('EXCHANGE_BAD_BODY', `${request}: ${what}`);
}

function badPage(request: string, what: string): CdvaultError {
  return new CdvaultError('EXCHANGE_BAD_PAGE', `${request}: ${what}`);
}
