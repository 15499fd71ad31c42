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
import { answerFutures, futuresWeight } from './futures-endpoints.ts';
import type { FuturesRules } from './futures-rows.ts';
import type { KlineBook } from './klines.ts';
import { placeOf } from './markets.ts';
import { badRequest, parseParameters, type ParameterRules } from './parameters.ts';
import { tickerJson } from './ticker.ts';
import { errorReply, htmlReply, jsonReply, type Reply } from './reply.ts';

/** A symbol as it is listed now. */
export interface Listing extends AggTradesSource {
  readonly symbol: string;
  readonly klines: KlineBook;
  readonly steps: TradeSteps;
  /** COIN-M: value of one contract in USD */
  readonly contractSize: number;
  status: SymbolStatus;
  /** what the ticker says, in place of what the trades come to */
  quoteVolume?: number;
}

export interface EndpointContext {
  readonly url: URL;
  readonly nowMs: number;
  readonly unit: TimeUnit;
  /** of the requested market */
  readonly listings: ReadonlyMap<string, Listing>;
  /** symbols whose trades are served although exchangeInfo does not list them */
  readonly unlisted: ReadonlySet<string>;
  readonly limits: LimitFacts;
  readonly futures: FuturesRules;
}

interface Endpoint {
  readonly weight: number;
  readonly answer: (context: EndpointContext) => Reply;
}

const INVALID_SYMBOL = badRequest(-1121, 'Invalid symbol.');

/** Endpoints of spot; weights as of 2025-03-10. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  ping: { weight: 1, answer: (context) => answerBare(context, () => '{}') },
  time: {
    weight: 1,
    answer: (context) =>
      answerBare(context, () => `{"serverTime":${timeIn(context.unit, context.nowMs)}}`),
  },
  exchangeInfo: { weight: 20, answer: answerExchangeInfo },
  aggTrades: { weight: 4, answer: answerAggTrades },
  klines: { weight: 2, answer: answerKlines },
  'ticker/24hr': { weight: 80, answer: answerTicker },
};

export function weightOf({ pathname, searchParams }: URL): number {
  const place = placeOf(pathname);
  if (place === undefined) return 0;
  if (place.market !== 'spot') return futuresWeight(place.endpoint, searchParams);
  return endpoints[place.endpoint]?.weight ?? 0;
}

export function answer(context: EndpointContext): Reply {
  return answerOf(context) ?? htmlReply(404, '404 Not Found', 'nginx');
}

function answerOf(context: EndpointContext): Reply | undefined {
  const place = placeOf(context.url.pathname);
  if (place === undefined) return undefined;
  const { market, endpoint } = place;
  if (market !== 'spot') return answerFutures(endpoint, { ...context, market });
  return endpoints[endpoint]?.answer(context);
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
        [...context.listings.values()].filter(
          ({ symbol, status }) =>
            !context.unlisted.has(symbol) &&
            (url.searchParams.get('symbolStatus') ?? status) === status,
        ),
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

function answerTicker(context: EndpointContext): Reply {
  const { url, listings, unlisted, nowMs } = context;
  const parsed = parseParameters(url.searchParams, rules(context, ['type'], []));
  if (!parsed.ok) return errorReply(parsed.error);
  const listed = [...listings.values()].filter(({ symbol }) => !unlisted.has(symbol));
  return jsonReply(tickerJson(listed, nowMs));
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
