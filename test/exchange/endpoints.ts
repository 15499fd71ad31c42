import {
  aggTradesJson,
  selectAggTrades,
  type AggTradesSource,
  type TimeUnit,
} from './agg-trades.ts';
import {
  exchangeInfoJson,
  type LimitFacts,
  type SymbolStatus,
  type TradeSteps,
} from './exchange-info.ts';
import type { KlineBook } from './klines.ts';
import { badRequest, parseParameters, type ParameterRules } from './parameters.ts';
import { errorReply, htmlReply, jsonReply, type Reply } from './reply.ts';

/** A symbol as it is listed now. */
export interface Listing extends AggTradesSource {
  readonly symbol: string;
  readonly klines: KlineBook;
  readonly steps: TradeSteps;
  status: SymbolStatus;
}

export interface EndpointContext {
  readonly url: URL;
  readonly nowMs: number;
  readonly unit: TimeUnit;
  readonly listings: ReadonlyMap<string, Listing>;
  /** symbols whose trades are served although exchangeInfo does not know them */
  readonly unlisted: ReadonlySet<string>;
  readonly limits: LimitFacts;
}

interface Endpoint {
  readonly weight: number;
  readonly answer: (context: EndpointContext) => Reply;
}

const INVALID_SYMBOL = badRequest(-1121, 'Invalid symbol.');

/** Weights as of 2025-03-10. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  '/api/v3/ping': { weight: 1, answer: (context) => answerBare(context, () => '{}') },
  '/api/v3/time': {
    weight: 1,
    answer: (context) =>
      answerBare(context, () => `{"serverTime":${timeIn(context.unit, context.nowMs)}}`),
  },
  '/api/v3/exchangeInfo': { weight: 20, answer: answerExchangeInfo },
  '/api/v3/aggTrades': { weight: 4, answer: answerAggTrades },
  '/api/v3/klines': { weight: 2, answer: answerKlines },
};

export function weightOf(path: string): number {
  return endpoints[path]?.weight ?? 0;
}

export function answer(context: EndpointContext): Reply {
  return (
    endpoints[context.url.pathname]?.answer(context) ?? htmlReply(404, '404 Not Found', 'nginx')
  );
}

function rules(
  context: EndpointContext,
  known: readonly string[],
  mandatory: readonly string[],
): ParameterRules {
  return { known, mandatory, nowMs: context.nowMs };
}

function timeIn(unit: TimeUnit, timeMs: number): number {
  return unit === 'us' ? timeMs * 1000 : timeMs;
}

function answerBare(context: EndpointContext, body: () => string): Reply {
  const parsed = parseParameters(context.url.searchParams, rules(context, [], []));
  return parsed.ok ? jsonReply(body()) : errorReply(parsed.error);
}

function answerExchangeInfo(context: EndpointContext): Reply {
  const { url, limits, nowMs } = context;
  const parsed = parseParameters(
    url.searchParams,
    rules(context, ['symbol', 'symbols', 'permissions', 'showPermissionSets', 'symbolStatus'], []),
  );
  if (!parsed.ok) return errorReply(parsed.error);
  const wanted = wantedSymbols(url.searchParams);
  if (wanted === undefined)
    return jsonReply(
      exchangeInfoJson(
        [...context.listings.values()].filter(({ symbol }) => !context.unlisted.has(symbol)),
        limits,
        nowMs,
      ),
    );
  const found: Listing[] = [];
  for (const symbol of wanted) {
    const listing = context.listings.get(symbol);
    if (listing === undefined || context.unlisted.has(symbol)) return errorReply(INVALID_SYMBOL);
    found.push(listing);
  }
  return jsonReply(exchangeInfoJson(found, limits, nowMs));
}

function wantedSymbols(query: URLSearchParams): string[] | undefined {
  const list = query.get('symbols');
  if (list !== null) return [...list.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '');
  const symbol = query.get('symbol');
  return symbol === null ? undefined : [symbol];
}

function answerAggTrades(context: EndpointContext): Reply {
  const parsed = parseParameters(
    context.url.searchParams,
    rules(context, ['symbol', 'fromId', 'startTime', 'endTime', 'limit'], ['symbol']),
  );
  if (!parsed.ok) return errorReply(parsed.error);
  const listing = context.listings.get(parsed.values.symbol ?? '');
  if (listing === undefined) return errorReply(INVALID_SYMBOL);
  const page = selectAggTrades(listing, parsed.values, context.nowMs);
  if (!page.ok) return errorReply(page.error);
  const first = page.rows[0];
  const last = page.rows.at(-1);
  const ids = first === undefined || last === undefined ? {} : { firstId: first.a, lastId: last.a };
  return jsonReply(aggTradesJson(page.rows, context.unit), { rows: page.rows.length, ...ids });
}

function answerKlines(context: EndpointContext): Reply {
  const parsed = parseParameters(
    context.url.searchParams,
    rules(
      context,
      ['symbol', 'interval', 'startTime', 'endTime', 'timeZone', 'limit'],
      ['symbol', 'interval'],
    ),
  );
  if (!parsed.ok) return errorReply(parsed.error);
  const listing = context.listings.get(parsed.values.symbol ?? '');
  if (listing === undefined) return errorReply(INVALID_SYMBOL);
  const klines = listing.klines.select(parsed.values, context.unit, context.nowMs);
  return klines.ok ? jsonReply(klines.json, { rows: klines.rows }) : errorReply(klines.error);
}
