import type { AggTrade } from '../../domain/trade/agg-trade.ts';
import { CdvaultError } from '../../domain/errors.ts';
import { MINUTE_MS, type TimeRange } from '../../domain/time/hour.ts';
import { type Market, type Series, tradesContracts } from '../../domain/market.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Kline, PageRequest, TradeSource } from '../../ports/trade-source.ts';
import type { MarketList } from '../../ports/schedule-rules.ts';
import type { WeightGovernor } from '../../ports/weight-governor.ts';
import { NO_PROXIES, type Proxies } from '../system/proxies.ts';
import { decodeKlines } from './decode-klines.ts';
import { assertNotBefore, assertStartsFrom, decodePage } from './decode-page.ts';
import type { TimeUnit } from './decode-page.ts';
import type { RequestLimits } from './decode-exchange-info.ts';
import { apiOf } from './market-api.ts';
import { BinanceMarketList } from './market-list.ts';
import { DEFAULT_RETRY, PatientClient } from './patient-client.ts';
import type { RequestInfo, RetryPolicy } from './patient-client.ts';
import { asRetentionError, type From } from './retention.ts';
import { LimitsAndClock } from './limits-and-clock.ts';
import { SymbolInfo } from './symbol-info.ts';
import { DEFAULT_TIMEOUTS, Transport } from './transport.ts';
import type { Timeouts } from './transport.ts';

export type { RequestInfo } from './patient-client.ts';
export type { Timeouts } from './transport.ts';

interface RestSourceDeps {
  /** No path for the real exchange; with a path (a reverse proxy), requests go below it. */
  readonly baseUrls: Readonly<Record<Market, string>>;
  readonly governor: WeightGovernor;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: none. */
  readonly proxies?: Proxies;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
  /** Called for every request that was sent, retries included. */
  readonly onRequest?: (info: RequestInfo) => void;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface RestSource extends TradeSource, MarketList {
  /**
   * Requests the exchange's limit of request weight, without the governor, which needs the limit first.
   * @returns the limit, and the weight of the request itself
   */
  exchangeLimits(
    market: Market,
    signal: AbortSignal,
  ): Promise<RequestLimits & { readonly weight: number }>;
  /**
   * Compares the exchange's clock with ours once, with weight 1 and without asking the governor, which calls
   * this with its own grant.
   */
  exchangeClock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ readonly offsetMs: number; readonly uncertaintyMs: number }>;
  /** Aborts running requests and closes all connections. */
  close(): Promise<void>;
}

interface TradeQuestion {
  /** The query without the symbol. */
  readonly where: string;
  readonly unit: TimeUnit;
  /** @throws CdvaultError where the reply is none to this question */
  readonly check?: (rows: readonly AggTrade[], request: string) => void;
}

/** Rows of a full page: the most that the exchange returns for one request. */
const PAGE_ROWS = 1000;

export function createRestSource(deps: RestSourceDeps): RestSource {
  return new BinanceRestSource(deps);
}

class BinanceRestSource implements RestSource {
  readonly pageRows = PAGE_ROWS;
  readonly #transports: Readonly<Record<Market, Transport>>;
  readonly #client: PatientClient;
  readonly #server: LimitsAndClock;
  readonly #symbols: SymbolInfo;
  readonly #list: MarketList;

  constructor(deps: RestSourceDeps) {
    const { baseUrls, clock, governor, log, onRequest, random = Math.random } = deps;
    const { proxies = NO_PROXIES } = deps;
    const timeouts = { ...DEFAULT_TIMEOUTS, ...deps.timeouts };
    const retry = { ...DEFAULT_RETRY, ...deps.retry };
    this.#transports = openTransports(baseUrls, timeouts, proxies);
    this.#client = new PatientClient({
      transports: this.#transports,
      governor,
      clock,
      log,
      retry,
      random,
      onRequest,
    });
    this.#server = new LimitsAndClock(this.#client, clock);
    this.#symbols = new SymbolInfo(this.#client, clock);
    this.#list = new BinanceMarketList(this.#client);
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
      {
        where: `startTime=${startTime}&limit=1`,
        unit,
        check: (rows, request) => assertNotBefore(rows[0], timeMs, request),
      },
      { timeMs },
      signal,
    );
    return trades[0];
  }

  page(
    series: Series,
    { fromId, unit, rows = PAGE_ROWS }: PageRequest,
    signal: AbortSignal,
  ): Promise<readonly AggTrade[]> {
    return this.#aggTrades(
      series,
      {
        where: `fromId=${fromId}&limit=${rows}`,
        unit,
        check: (trades, request) => assertStartsFrom(trades, fromId, request),
      },
      { id: fromId },
      signal,
    );
  }

  async newest(series: Series, signal: AbortSignal): Promise<AggTrade | undefined> {
    const trades = await this.#askTrades(series, { where: 'limit=1', unit: 'ms' }, signal);
    return trades.at(-1);
  }

  async minuteKlines(
    { market, symbol }: Series,
    range: TimeRange,
    signal: AbortSignal,
  ): Promise<readonly Kline[]> {
    const { path, weights, hasTimeUnits } = apiOf(market);
    assertMinutes(range);
    // endTime is inclusive, and the limit is not below the minutes of the range: the reply is always complete.
    const where = `startTime=${range.startMs}&endTime=${range.endMs - 1}&limit=${PAGE_ROWS}`;
    return await this.#client.ask(
      {
        market,
        path: `${path}/klines`,
        query: `?symbol=${encodeURIComponent(symbol)}&interval=1m&${where}`,
        headers: hasTimeUnits ? { 'x-mbx-time-unit': 'MILLISECOND' } : {},
        weight: weights.klines,
        governed: true,
        decode: (body, request) => decodeKlines(body, range, request),
      },
      signal,
    );
  }

  async isListed(series: Series, signal: AbortSignal): Promise<boolean> {
    return (await this.#symbols.ask(series, signal)) !== undefined;
  }

  async isTrading(series: Series, signal: AbortSignal): Promise<boolean> {
    return (await this.#symbols.recent(series, signal))?.status === 'TRADING';
  }

  async contractSize(series: Series, signal: AbortSignal): Promise<string | undefined> {
    if (!tradesContracts(series.market)) return undefined;
    return (await this.#symbols.recent(series, signal))?.contractSize;
  }

  listedSymbols: MarketList['listedSymbols'] = (market, signal) =>
    this.#list.listedSymbols(market, signal);

  quoteVolumes: MarketList['quoteVolumes'] = (market, signal) =>
    this.#list.quoteVolumes(market, signal);

  pageWeight(market: Market): number {
    return apiOf(market).weights.aggTrades;
  }

  historyMs(market: Market): number {
    return apiOf(market).historyMs;
  }

  exchangeLimits(
    market: Market,
    signal: AbortSignal,
  ): Promise<RequestLimits & { readonly weight: number }> {
    return this.#server.limits(market, signal);
  }

  exchangeClock(
    market: Market,
    signal: AbortSignal,
  ): Promise<{ offsetMs: number; uncertaintyMs: number }> {
    return this.#server.clock(market, signal);
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#transports).map((transport) => transport.close()));
  }

  async #aggTrades(
    series: Series,
    question: TradeQuestion,
    from: From,
    signal: AbortSignal,
  ): Promise<readonly AggTrade[]> {
    try {
      return await this.#askTrades(series, question, signal);
    } catch (error) {
      signal.throwIfAborted();
      const why = await asRetentionError(error, series, from, {
        serverTimeMs: () => this.#server.timeMs(series.market, true, signal),
        firstIdAtOrAfter: async (timeMs) => {
          const oldest = { where: `startTime=${timeMs}&limit=1`, unit: 'ms' } as const;
          return (await this.#askTrades(series, oldest, signal))[0]?.aggId;
        },
      });
      signal.throwIfAborted();
      throw why;
    }
  }

  async #askTrades(
    { market, symbol }: Series,
    { where, unit, check }: TradeQuestion,
    signal: AbortSignal,
  ): Promise<readonly AggTrade[]> {
    const { path, weights } = apiOf(market);
    return await this.#client.ask(
      {
        market,
        path: `${path}/aggTrades`,
        query: `?symbol=${encodeURIComponent(symbol)}&${where}`,
        headers: unit === 'us' ? { 'x-mbx-time-unit': 'MICROSECOND' } : {},
        weight: weights.aggTrades,
        governed: true,
        decode: (body, request) => {
          const rows = decodePage(body, unit, request);
          check?.(rows, request);
          return rows;
        },
      },
      signal,
    );
  }
}

function openTransports(
  baseUrls: Readonly<Record<Market, string>>,
  timeouts: Timeouts,
  proxies: Proxies,
): Readonly<Record<Market, Transport>> {
  const open = (market: Market) => new Transport(baseUrls[market], timeouts, proxies);
  return {
    binance_spot: open('binance_spot'),
    binance_um: open('binance_um'),
    binance_cm: open('binance_cm'),
  };
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
