import type { AggTrade } from '../../domain/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { HOUR_MS, MINUTE_MS, type TimeRange } from '../../domain/hour.ts';
import { MARKETS } from '../../domain/market.ts';
import type { Market, Series } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Kline, TradeSource } from '../../ports/trade-source.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { decodeKlines } from './decode-klines.ts';
import { assertNotBefore, assertStartsFrom, decodePage } from './decode-page.ts';
import type { TimeUnit } from './decode-page.ts';
import { decodeLimits, decodeServerTime } from './exchange-facts.ts';
import type { RequestLimits } from './exchange-facts.ts';
import { DEFAULT_RETRY, PatientClient, unsupported } from './patient-client.ts';
import type { RequestInfo, RetryPolicy } from './patient-client.ts';
import { SymbolStatuses } from './symbol-status.ts';
import { DEFAULT_TIMEOUTS, Transport } from './transport.ts';
import type { Timeouts } from './transport.ts';

export type { RequestInfo } from './patient-client.ts';
export type { Timeouts } from './transport.ts';

interface RestSourceDeps {
  /** Without a trailing path for the real exchange; a path in front of /api is kept (a reverse proxy). */
  readonly baseUrls: Partial<Record<Market, string>>;
  readonly governor: WeightGovernor;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
  /** Called for every request that was sent, retries included. */
  readonly onRequest?: (info: RequestInfo) => void;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface RestSource extends TradeSource {
  /**
   * The exchange's limit of request weight. Sent without asking the governor, which needs it first.
   * @returns also the weight that the question itself has cost
   */
  exchangeLimits(
    market: Market,
    signal: AbortSignal,
  ): Promise<RequestLimits & { readonly weight: number }>;
  /**
   * One comparison of the exchange's clock with ours, of weight 1, sent without asking the governor,
   * which calls this with its own grant.
   */
  exchangeClock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ readonly offsetMs: number; readonly uncertaintyMs: number }>;
  /** Aborts what is under way and closes all connections. */
  close(): Promise<void>;
}

/** Rows of a full page: the most that the exchange gives for one request. */
const PAGE_ROWS = 1000;

/** Weights of the exchange's table (aggTrades since 2025-03-10). A wrong one corrects itself by the used-weight header. */
const AGG_TRADES_WEIGHT = 4;
const KLINES_WEIGHT = 2;
const EXCHANGE_INFO_WEIGHT = 20;
const TIME_WEIGHT = 1;

const INVALID_SYMBOL = -1121;

/** Any symbol keeps the reply small: without one it lists all, some 20 MB. This one will stay. */
const SMALL_REPLY_SYMBOL = 'BTCUSDT';

export function createRestSource(deps: RestSourceDeps): RestSource {
  return new BinanceRestSource(deps);
}

class BinanceRestSource implements RestSource {
  readonly pageRows = PAGE_ROWS;
  readonly #transports: ReadonlyMap<Market, Transport>;
  readonly #client: PatientClient;
  readonly #clock: Clock;
  readonly #statuses: SymbolStatuses;

  pageWeight(market: Market): number {
    return market === 'binance_spot' ? AGG_TRADES_WEIGHT : 20;
  }

  historyMs(market: Market): number {
    return market === 'binance_spot' ? Infinity : 48 * HOUR_MS;
  }

  constructor(deps: RestSourceDeps) {
    const { baseUrls, clock, governor, log, onRequest, random = Math.random } = deps;
    const timeouts = { ...DEFAULT_TIMEOUTS, ...deps.timeouts };
    const retry = { ...DEFAULT_RETRY, ...deps.retry };
    this.#clock = clock;
    this.#transports = openTransports(baseUrls, timeouts);
    this.#client = new PatientClient({
      transports: this.#transports,
      governor,
      clock,
      log,
      retry,
      random,
      onRequest,
    });
    this.#statuses = new SymbolStatuses(this.#client, clock);
  }

  async firstAtOrAfter(
    series: Series,
    timeMs: number,
    unit: TimeUnit,
    signal: AbortSignal,
  ): Promise<AggTrade | undefined> {
    const startTime = unit === 'us' ? timeMs * 1000 : timeMs;
    const trades = await this.#aggTrades(
      series,
      `startTime=${startTime}&limit=1`,
      unit,
      signal,
      (rows, request) => assertNotBefore(rows[0], timeMs, request),
    );
    return trades[0];
  }

  page(
    series: Series,
    fromId: number,
    unit: TimeUnit,
    signal: AbortSignal,
    rows = PAGE_ROWS,
  ): Promise<readonly AggTrade[]> {
    return this.#aggTrades(
      series,
      `fromId=${fromId}&limit=${rows}`,
      unit,
      signal,
      (trades, request) => assertStartsFrom(trades, fromId, request),
    );
  }

  async newest(series: Series, signal: AbortSignal): Promise<AggTrade | undefined> {
    const trades = await this.#aggTrades(series, 'limit=1', 'ms', signal, () => undefined);
    return trades.at(-1);
  }

  async minuteKlines(
    { market, symbol }: Series,
    range: TimeRange,
    signal: AbortSignal,
  ): Promise<readonly Kline[]> {
    assertSpot(market);
    assertMinutes(range);
    // endTime is inclusive, and the limit all that the range can hold: the reply is never a part.
    const where = `startTime=${range.startMs}&endTime=${range.endMs - 1}&limit=${PAGE_ROWS}`;
    return await this.#client.ask(
      {
        market,
        path: '/api/v3/klines',
        query: `?symbol=${encodeURIComponent(symbol)}&interval=1m&${where}`,
        headers: { 'x-mbx-time-unit': 'MILLISECOND' },
        weight: KLINES_WEIGHT,
        governed: true,
        decode: (body, request) => decodeKlines(body, range, request),
      },
      signal,
    );
  }

  async isListed(series: Series, signal: AbortSignal): Promise<boolean> {
    assertSpot(series.market);
    return (await this.#statuses.ask(series, signal)) !== 'unlisted';
  }

  async isTrading(series: Series, signal: AbortSignal): Promise<boolean> {
    assertSpot(series.market);
    return (await this.#statuses.recent(series, signal)) === 'TRADING';
  }

  async exchangeLimits(
    market: Market,
    signal: AbortSignal,
  ): Promise<RequestLimits & { readonly weight: number }> {
    const limits = await this.#limits(market, `?symbol=${SMALL_REPLY_SYMBOL}`, signal);
    if (limits !== 'unknown symbol') return { ...limits, weight: EXCHANGE_INFO_WEIGHT };
    const all = await this.#limits(market, '', signal);
    if (all !== 'unknown symbol') return { ...all, weight: 2 * EXCHANGE_INFO_WEIGHT };
    throw new CdvaultError(
      'EXCHANGE_BAD_BODY',
      'GET /api/v3/exchangeInfo: an invalid symbol, where none was sent',
    );
  }

  async exchangeClock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ offsetMs: number; uncertaintyMs: number }> {
    assertSpot(market);
    const sentAtMs = this.#clock.nowMs();
    const serverTimeMs = await this.#client.ask(
      {
        market,
        path: '/api/v3/time',
        query: '',
        weight: TIME_WEIGHT,
        governed: false,
        decode: decodeServerTime,
      },
      signal,
    );
    const uncertaintyMs = (this.#clock.nowMs() - sentAtMs) / 2;
    return { offsetMs: serverTimeMs - (sentAtMs + uncertaintyMs), uncertaintyMs };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#transports.values()].map((transport) => transport.close()));
  }

  async #aggTrades(
    { market, symbol }: Series,
    where: string,
    unit: TimeUnit,
    signal: AbortSignal,
    check: (rows: readonly AggTrade[], request: string) => void,
  ): Promise<readonly AggTrade[]> {
    assertSpot(market);
    return await this.#client.ask(
      {
        market,
        path: '/api/v3/aggTrades',
        query: `?symbol=${encodeURIComponent(symbol)}&${where}`,
        headers: unit === 'us' ? { 'x-mbx-time-unit': 'MICROSECOND' } : {},
        weight: AGG_TRADES_WEIGHT,
        governed: true,
        decode: (body, request) => {
          const rows = decodePage(body, unit, request);
          check(rows, request);
          return rows;
        },
      },
      signal,
    );
  }

  async #limits(
    market: Market,
    query: string,
    signal: AbortSignal,
  ): Promise<RequestLimits | 'unknown symbol'> {
    assertSpot(market);
    return await this.#client.ask<RequestLimits | 'unknown symbol'>(
      {
        market,
        path: '/api/v3/exchangeInfo',
        query,
        weight: EXCHANGE_INFO_WEIGHT,
        governed: false,
        fromCode: (code) => (code === INVALID_SYMBOL ? 'unknown symbol' : undefined),
        decode: decodeLimits,
      },
      signal,
    );
  }
}

function openTransports(
  baseUrls: Partial<Record<Market, string>>,
  timeouts: Timeouts,
): ReadonlyMap<Market, Transport> {
  const transports = new Map<Market, Transport>();
  for (const market of MARKETS) {
    const baseUrl = baseUrls[market];
    if (baseUrl !== undefined) transports.set(market, new Transport(baseUrl, timeouts));
  }
  return transports;
}

/** Futures REST differs in paths, weights and history; this source speaks spot. */
function assertSpot(market: Market): void {
  if (market !== 'binance_spot') throw unsupported(market);
}

function assertMinutes({ startMs, endMs }: TimeRange): void {
  const minutes = (endMs - startMs) / MINUTE_MS;
  if (startMs % MINUTE_MS === 0 && Number.isInteger(minutes) && minutes > 0 && minutes <= PAGE_ROWS)
    return;
  throw new CdvaultError(
    'INTERNAL',
    `${startMs} to ${endMs} is not a range of 1 to ${PAGE_ROWS} whole minutes`,
  );
}
