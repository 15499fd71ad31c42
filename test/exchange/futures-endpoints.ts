import type { EndpointContext, Listing } from './endpoints.ts';
import { futuresInfoJson } from './futures-info.ts';
import { futuresRowsJson, selectFuturesRows } from './futures-rows.ts';
import { badRequest, parseParameters, type ParameterRules } from './parameters.ts';
import { tickerJson } from './ticker.ts';
import { errorReply, jsonReply, type Reply } from './reply.ts';

type FuturesContext = EndpointContext & { readonly market: 'um' | 'cm' };

const INVALID_SYMBOL = badRequest(-1121, 'Invalid symbol.');
const MAX_TRADES = 1000;
const MAX_KLINES = 1500;

/** The weight of klines depends on their limit; these limits are inclusive. */
const KLINE_WEIGHTS: readonly (readonly [limit: number, weight: number])[] = [
  [99, 1],
  [499, 2],
  [1000, 5],
];

export function futuresWeight(endpoint: string, query: URLSearchParams): number {
  if (endpoint === 'aggTrades') return 20;
  if (endpoint === 'ticker/24hr') return 40;
  if (endpoint !== 'klines') return 1;
  const limit = Number(query.get('limit') ?? 500);
  return KLINE_WEIGHTS.find(([most]) => limit <= most)?.[1] ?? 10;
}

/** undefined where there is no such endpoint */
export function answerFutures(endpoint: string, context: FuturesContext): Reply | undefined {
  switch (endpoint) {
    case 'ping':
      return bare(context, '{}');
    case 'time':
      return bare(context, `{"serverTime":${context.nowMs}}`);
    case 'exchangeInfo':
      return bare(context, infoJson(context));
    case 'ticker/24hr':
      return bare(context, tickerJson(listedNow(context), context.nowMs));
    case 'aggTrades':
      return answerTrades(context);
    case 'klines':
      return answerKlines(context);
    default:
      return undefined;
  }
}

function bare(context: FuturesContext, body: string): Reply {
  const parsed = parseParameters(context.url.searchParams, rules(context, [], [], MAX_TRADES));
  return parsed.ok ? jsonReply(body) : errorReply(parsed.error);
}

function listedNow({ listings, unlisted }: FuturesContext): Listing[] {
  return [...listings.values()].filter(({ symbol }) => !unlisted.has(symbol));
}

function infoJson(context: FuturesContext): string {
  const { market, limits, nowMs } = context;
  const symbols = listedNow(context).map((listing) => ({
    ...listing,
    onboardMs: onboardMs(listing),
  }));
  return futuresInfoJson(market, symbols, limits, nowMs);
}

function onboardMs({ trades }: Listing): number {
  return trades.count === 0 ? 0 : Math.floor(trades.at(0).timeUs / 1000);
}

function answerTrades(context: FuturesContext): Reply {
  const known = ['symbol', 'fromId', 'startTime', 'endTime', 'limit'];
  const parsed = parseParameters(
    context.url.searchParams,
    rules(context, known, ['symbol'], MAX_TRADES),
  );
  if (!parsed.ok) return errorReply(parsed.error);
  const listing = context.listings.get(parsed.values.symbol ?? '');
  if (listing === undefined) return errorReply(INVALID_SYMBOL);
  const { nowMs, futures, market } = context;
  const page = selectFuturesRows(listing.trades, parsed.values, nowMs, futures);
  if (!page.ok) return errorReply(page.error);
  const first = page.rows[0];
  const last = page.rows.at(-1);
  const ids = first === undefined || last === undefined ? {} : { firstId: first.a, lastId: last.a };
  return jsonReply(futuresRowsJson(page.rows, market), { rows: page.rows.length, ...ids });
}

function answerKlines(context: FuturesContext): Reply {
  const known = ['symbol', 'interval', 'startTime', 'endTime', 'limit'];
  const parsed = parseParameters(
    context.url.searchParams,
    rules(context, known, ['symbol', 'interval'], MAX_KLINES),
  );
  if (!parsed.ok) return errorReply(parsed.error);
  const listing = context.listings.get(parsed.values.symbol ?? '');
  if (listing === undefined) return errorReply(INVALID_SYMBOL);
  const klines = listing.klines.select(parsed.values, 'ms', context.nowMs);
  return klines.ok ? jsonReply(klines.json, { rows: klines.rows }) : errorReply(klines.error);
}

function rules(
  { nowMs }: FuturesContext,
  known: readonly string[],
  mandatory: readonly string[],
  maxLimit: number,
): ParameterRules {
  return { known, mandatory, nowMs, maxLimit, refusesAboveMax: true };
}
