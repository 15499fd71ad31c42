import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { TimeUnit } from './agg-trades.ts';
import { answer, weightOf, type Listing } from './endpoints.ts';
import { tradeSteps, type SymbolStatus } from './exchange-info.ts';
import { faultKinds, type FaultContext } from './fault-kinds.ts';
import { FaultPlan, type Fault } from './faults.ts';
import type { FuturesRules } from './futures-rows.ts';
import { KlineBook } from './klines.ts';
import { EXCHANGE_MARKETS, type ExchangeMarket, placeOf, WEIGHT_LIMITS } from './markets.ts';
import { bannedReply, limitedReply, type Reply } from './reply.ts';
import { RequestLog, type RequestEntry } from './request-log.ts';
import type { TradeSeries } from './trade-series.ts';
import { WeightMeter, type WeightWindow } from './weight-meter.ts';

export interface ExchangeSymbol {
  /** default spot */
  readonly market?: ExchangeMarket;
  /** COIN-M: value of one contract in USD; default 100 */
  readonly contractSize?: number;
  readonly symbol: string;
  readonly trades: TradeSeries;
  readonly status?: SymbolStatus;
  /** ids below this are no longer served: replies start with it, without an error */
  readonly retentionFirstId?: number;
}

export interface ExchangeOptions {
  readonly symbols: readonly ExchangeSymbol[];
  /** 0 = a free one */
  readonly port?: number;
  /** address to listen on; the default 127.0.0.1 accepts no connections from other machines */
  readonly host?: string;
  readonly weightLimit?: number;
  readonly weightWindow?: WeightWindow;
  /** false = no limit: nothing is refused, and exchangeInfo gives a billion unless `weightLimit` is set */
  readonly enforceWeight?: boolean;
  /** count and ban each client address for itself, as the real exchange does; default: all clients are one */
  readonly weightByAddress?: boolean;
  /** the first ban, the second, …; the last repeats */
  readonly banSeconds?: readonly number[];
  /** calls over the limit in one window that still get 429 before the ban */
  readonly toleratedOverLimit?: number;
  /** calls this soon after the reply that forbids them count as already on their way */
  readonly inFlightMs?: number;
  /** the exchange's clock */
  readonly nowMs?: () => number;
  readonly latencyMs?: number;
  readonly faults?: readonly Fault[];
  readonly faultSeed?: number;
  /** compress replies for clients that accept it (default true) */
  readonly gzip?: boolean;
  readonly logFile?: string;
  readonly futures?: FuturesRules;
}

export interface Exchange {
  readonly url: string;
  readonly requests: RequestLog;
  setFaults(faults: readonly Fault[]): void;
  /** weight used on spot by another program on the same address, in the current window */
  addForeignWeight(weight: number): void;
  /** on spot */
  ban(seconds: number): void;
  /** ends the ban now */
  pardon(): void;
  setStatus(symbol: string, status: SymbolStatus, market?: ExchangeMarket): void;
  /** a symbol is listed while the exchange runs */
  list(symbol: ExchangeSymbol): void;
  /** what the 24-hour ticker says from now on */
  setQuoteVolume(symbol: string, volume: number, market?: ExchangeMarket): void;
  /** exchangeInfo no longer lists the symbol; its trades are still served */
  unlist(symbol: string, market?: ExchangeMarket): void;
  /** the symbol is renamed or purged: -1121 from now on */
  delist(symbol: string): void;
  close(): Promise<void>;
}

const DEFAULT_BAN_SECONDS = [120, 600, 3600, 86_400, 259_200];
const SMALLEST_GZIP_BYTES = 1024;
const compress = promisify(gzip);

export async function startExchange(options: ExchangeOptions): Promise<Exchange> {
  const simulator = new Simulator(options);
  await simulator.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  return simulator;
}

/** The state of one market. */
interface Floor {
  readonly meter: WeightMeter;
  /** by the client's address; without `weightByAddress` all share `meter` */
  readonly meters: Map<string, WeightMeter>;
  readonly weightLimit: number;
  readonly listings: Map<string, Listing>;
  readonly unlisted: Set<string>;
}

class Simulator implements Exchange {
  readonly requests: RequestLog;
  url = '';
  readonly #options: ExchangeOptions;
  readonly #server: Server;
  readonly #weightWindow: WeightWindow;
  readonly #floors: Readonly<Record<ExchangeMarket, Floor>>;
  #faults: FaultPlan;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.requests = new RequestLog(options.logFile);
    this.#weightWindow = options.weightWindow ?? { interval: 'MINUTE', intervalNum: 1 };
    this.#floors = { spot: this.#floor('spot'), um: this.#floor('um'), cm: this.#floor('cm') };
    for (const listed of options.symbols) this.list(listed);
    this.#faults = new FaultPlan(options.faults ?? [], options.faultSeed ?? 1);
    this.#server = createServer((request, response) => {
      // A client that disconnects early must not end the exchange.
      response.on('error', () => undefined);
      this.#handle(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    });
    this.#server.keepAliveTimeout = 65_000;
  }

  #floor(market: ExchangeMarket): Floor {
    const options = this.#options;
    const weightLimit =
      options.weightLimit ??
      (options.enforceWeight === false ? 1_000_000_000 : WEIGHT_LIMITS[market]);
    const meter = this.#newMeter(weightLimit);
    return { meter, meters: new Map(), weightLimit, listings: new Map(), unlisted: new Set() };
  }

  #newMeter(limit: number): WeightMeter {
    const options = this.#options;
    return new WeightMeter({
      limit,
      window: this.#weightWindow,
      enforced: options.enforceWeight ?? true,
      banSeconds: options.banSeconds ?? DEFAULT_BAN_SECONDS,
      toleratedOverLimit: options.toleratedOverLimit ?? 10,
      inFlightMs: options.inFlightMs ?? 100,
    });
  }

  #meterOf(floor: Floor, address: string): WeightMeter {
    if (this.#options.weightByAddress !== true) return floor.meter;
    const known = floor.meters.get(address);
    if (known !== undefined) return known;
    const meter = this.#newMeter(floor.weightLimit);
    floor.meters.set(address, meter);
    return meter;
  }

  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    this.url = `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  setFaults(faults: readonly Fault[]): void {
    this.#faults = new FaultPlan(faults, this.#options.faultSeed ?? 1);
  }

  addForeignWeight(weight: number): void {
    this.#floors.spot.meter.add(weight, this.#nowMs());
  }

  ban(seconds: number): void {
    this.#floors.spot.meter.ban(seconds, this.#nowMs());
  }

  pardon(): void {
    for (const market of EXCHANGE_MARKETS) this.#floors[market].meter.pardon();
  }

  list(listed: ExchangeSymbol): void {
    this.#floors[listed.market ?? 'spot'].listings.set(listed.symbol, listingOf(listed));
  }

  setQuoteVolume(symbol: string, volume: number, market: ExchangeMarket = 'spot'): void {
    this.#listing(symbol, market).quoteVolume = volume;
  }

  setStatus(symbol: string, status: SymbolStatus, market: ExchangeMarket = 'spot'): void {
    this.#listing(symbol, market).status = status;
  }

  #listing(symbol: string, market: ExchangeMarket): Listing {
    const listing = this.#floors[market].listings.get(symbol);
    if (listing === undefined) throw new Error(`the exchange has no symbol ${symbol}`);
    return listing;
  }

  unlist(symbol: string, market: ExchangeMarket = 'spot'): void {
    this.#floors[market].unlisted.add(symbol);
  }

  delist(symbol: string): void {
    this.#floors.spot.listings.delete(symbol);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
    this.requests.flush();
  }

  #nowMs(): number {
    return Math.floor(this.#options.nowMs?.() ?? Date.now());
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const nowMs = this.#nowMs();
    const url = new URL(request.url ?? '/', this.url);
    const address = request.socket.remoteAddress ?? '';
    const entry = this.requests.open({
      method: request.method ?? '',
      url,
      headers: request.headers,
      atMs: nowMs,
      address,
    });
    const weight = weightOf(url);
    const floor = this.#floors[placeOf(url.pathname)?.market ?? 'spot'];
    const meter = this.#meterOf(floor, address);
    const verdict = meter.admit(weight, nowMs);
    entry.weight = verdict.kind === 'banned' ? 0 : weight;
    entry.usedWeight = meter.used(nowMs);
    if (verdict.violation !== undefined) entry.violation = verdict.violation;
    const send = (reply: Reply): Promise<void> => this.#send(request, response, entry, reply);
    if (this.#options.latencyMs !== undefined) await delay(this.#options.latencyMs);
    if (verdict.kind === 'banned')
      return send(bannedReply(meter.banUntilMs, verdict.retryAfterSeconds));
    if (verdict.kind === 'limited')
      return send(limitedReply(meter.limitText, verdict.retryAfterSeconds));
    const replyTo = (address: URL): Reply => this.#answer(address, floor, nowMs, request);
    const fault = this.#faults.match(url, nowMs);
    if (fault === undefined) return send(replyTo(url));
    entry.fault = fault.name;
    const context: FaultContext = {
      parameters: fault,
      url,
      response,
      meter,
      nowMs,
      replyTo,
      send,
      headersOf: (reply) => this.#headersOf(reply, entry),
      noteStatus: (status) => {
        entry.status = status;
      },
    };
    await faultKinds[fault.kind](context);
    if (!response.writableEnded) this.requests.done(entry);
  }

  #answer(url: URL, floor: Floor, nowMs: number, request: IncomingMessage): Reply {
    return answer({
      url,
      nowMs,
      unit: timeUnit(request.headers['x-mbx-time-unit']),
      listings: floor.listings,
      unlisted: floor.unlisted,
      limits: { weightLimit: floor.weightLimit, weightWindow: this.#weightWindow },
      futures: this.#options.futures ?? {},
    });
  }

  #headersOf(reply: Reply, entry: RequestEntry): Record<string, string> {
    if (!reply.fromExchange) return { ...reply.headers };
    const used = String(entry.usedWeight);
    return {
      ...reply.headers,
      'x-mbx-used-weight': used,
      [`x-mbx-used-weight-${this.#floors.spot.meter.windowName.toLowerCase()}`]: used,
    };
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    entry: RequestEntry,
    reply: Reply,
  ): Promise<void> {
    const headers = this.#headersOf(reply, entry);
    let body: Buffer = Buffer.from(reply.body);
    const accepts = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (accepts && this.#options.gzip !== false && body.length >= SMALLEST_GZIP_BYTES) {
      body = await compress(body, { level: constants.Z_BEST_SPEED });
      headers['content-encoding'] = 'gzip';
    }
    entry.status = reply.status;
    if (reply.page !== undefined) Object.assign(entry, reply.page);
    this.requests.done(entry);
    if (response.destroyed) return;
    response.writeHead(reply.status, { ...headers, 'content-length': String(body.length) });
    response.end(body);
  }
}

function listingOf({
  market,
  symbol,
  trades,
  status = 'TRADING',
  contractSize = 100,
  retentionFirstId,
}: ExchangeSymbol): Listing {
  return {
    symbol,
    trades,
    status,
    contractSize,
    retentionFirstId,
    klines: new KlineBook(trades, market === 'cm' ? contractSize : undefined),
    steps: tradeSteps(trades),
  };
}

function timeUnit(header: string | string[] | undefined): TimeUnit {
  return header === 'MICROSECOND' || header === 'microsecond' ? 'us' : 'ms';
}
