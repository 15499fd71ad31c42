import type { TimeUnit } from './agg-trades.ts';
import { badRequest, type ApiError, type Parameters } from './parameters.ts';
import type { TradeSeries } from './trade-series.ts';

const MINUTE_US = 60_000_000;
const CACHED_MINUTES = 20_000;
const ONE = 100_000_000n;

const INTERVAL_MINUTES: Readonly<Record<string, number>> = {
  '1m': 1,
  '5m': 5,
  '15m': 15,
  '1h': 60,
  '4h': 240,
  '1d': 1440,
};

/** Prices and volumes are whole numbers of 1e-8, quote volumes of 1e-16. */
interface Candle {
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
  volume: bigint;
  quoteVolume: bigint;
  rawTrades: number;
  takerBuyVolume: bigint;
  takerBuyQuoteVolume: bigint;
}

export type Klines =
  | { readonly ok: true; readonly json: string; readonly rows: number }
  | { readonly ok: false; readonly error: ApiError };

/** Candles of one symbol, added up from its trades; finished minutes are cached. */
export class KlineBook {
  readonly #trades: TradeSeries;
  readonly #minutes = new Map<number, Candle | undefined>();
  readonly #contractSize: bigint | undefined;

  /** @param contractSize set for a market of contracts: its candles have base volumes where others have quote volumes */
  constructor(trades: TradeSeries, contractSize?: number) {
    this.#trades = trades.truth ?? trades;
    this.#contractSize = contractSize === undefined ? undefined : BigInt(contractSize);
  }

  select(parameters: Parameters, unit: TimeUnit, nowMs: number): Klines {
    const minutes = INTERVAL_MINUTES[parameters.interval ?? ''];
    if (minutes === undefined) return { ok: false, error: badRequest(-1120, 'Invalid interval.') };
    const stepUs = minutes * MINUTE_US;
    const { firstUs, lastUs } = this.#opens(parameters, stepUs, nowMs);
    const candles: string[] = [];
    for (let openUs = firstUs; openUs <= lastUs; openUs += stepUs)
      candles.push(candleJson(openUs, stepUs, this.#candle(openUs, stepUs, nowMs), unit));
    return { ok: true, json: `[${candles.join(',')}]`, rows: candles.length };
  }

  /** First and last open time of the reply. Candles run from the first trade's to the last one that has begun. */
  #opens(
    parameters: Parameters,
    stepUs: number,
    nowMs: number,
  ): { firstUs: number; lastUs: number } {
    const nothing = { firstUs: 0, lastUs: -1 };
    if (this.#trades.count === 0) return nothing;
    const floor = (timeUs: number): number => Math.floor(timeUs / stepUs) * stepUs;
    const listingUs = this.#trades.at(0).timeUs;
    if (listingUs > nowMs * 1000) return nothing;
    const earliest = floor(listingUs);
    const latest = floor(Math.min(this.#trades.endUs - 1, nowMs * 1000));
    const last =
      parameters.endUs === undefined ? latest : Math.min(latest, floor(parameters.endUs));
    const reach = (parameters.limit - 1) * stepUs;
    if (parameters.startUs === undefined)
      return { firstUs: Math.max(earliest, last - reach), lastUs: last };
    const first = Math.max(earliest, Math.ceil(parameters.startUs / stepUs) * stepUs);
    return { firstUs: first, lastUs: Math.min(last, first + reach) };
  }

  #candle(openUs: number, stepUs: number, nowMs: number): Candle {
    let sum: Candle | undefined;
    for (let minuteUs = openUs; minuteUs < openUs + stepUs; minuteUs += MINUTE_US) {
      const minute = this.#minute(minuteUs, nowMs);
      if (minute !== undefined) sum = sum === undefined ? { ...minute } : addCandles(sum, minute);
    }
    return sum ?? flatCandle(this.#priceBefore(openUs));
  }

  #minute(minuteUs: number, nowMs: number): Candle | undefined {
    if (this.#minutes.has(minuteUs)) return this.#minutes.get(minuteUs);
    const endUs = Math.min(minuteUs + MINUTE_US, nowMs * 1000 + 1000);
    const candle = this.#addUp(this.#trades.indexAtTime(minuteUs), this.#trades.indexAtTime(endUs));
    // A minute that is still running grows: it is added up again each time.
    if (endUs === minuteUs + MINUTE_US) {
      if (this.#minutes.size >= CACHED_MINUTES) this.#minutes.clear();
      this.#minutes.set(minuteUs, candle);
    }
    return candle;
  }

  #addUp(from: number, to: number): Candle | undefined {
    let candle: Candle | undefined;
    for (let index = from; index < to; index++) {
      const trade = this.#trades.at(index);
      // Candles leave out rows that the exchange declared void.
      if (trade.f < 0) continue;
      const price = scaled(trade.p);
      const qty = scaled(trade.q);
      candle ??= flatCandle(price);
      if (price > candle.high) candle.high = price;
      if (price < candle.low) candle.low = price;
      candle.close = price;
      candle.volume += qty;
      const quoteVolume = this.#quoteVolume(price, qty);
      candle.quoteVolume += quoteVolume;
      candle.rawTrades += trade.l - trade.f + 1 + this.#excludedBefore(index);
      if (trade.m) continue;
      candle.takerBuyVolume += qty;
      candle.takerBuyQuoteVolume += quoteVolume;
    }
    return candle;
  }

  /** Quote volume of a trade, for contracts its base volume; in units of 1e-16. */
  #quoteVolume(price: bigint, qty: bigint): bigint {
    return this.#contractSize === undefined
      ? price * qty
      : (qty * this.#contractSize * ONE * ONE) / price;
  }

  /** Fills before this trade that are in no aggregate trade: candles count them. */
  #excludedBefore(index: number): number {
    if (index === 0) return 0;
    const before = this.#trades.at(index - 1);
    return before.f < 0 ? 0 : Math.max(0, this.#trades.at(index).f - before.l - 1);
  }

  #priceBefore(openUs: number): bigint {
    for (let index = this.#trades.indexAtTime(openUs) - 1; index >= 0; index--) {
      const trade = this.#trades.at(index);
      if (trade.f >= 0) return scaled(trade.p);
    }
    return 0n;
  }
}

function flatCandle(price: bigint): Candle {
  return {
    open: price,
    high: price,
    low: price,
    close: price,
    volume: 0n,
    quoteVolume: 0n,
    rawTrades: 0,
    takerBuyVolume: 0n,
    takerBuyQuoteVolume: 0n,
  };
}

function addCandles(left: Candle, right: Candle): Candle {
  return {
    open: left.open,
    high: right.high > left.high ? right.high : left.high,
    low: right.low < left.low ? right.low : left.low,
    close: right.close,
    volume: left.volume + right.volume,
    quoteVolume: left.quoteVolume + right.quoteVolume,
    rawTrades: left.rawTrades + right.rawTrades,
    takerBuyVolume: left.takerBuyVolume + right.takerBuyVolume,
    takerBuyQuoteVolume: left.takerBuyQuoteVolume + right.takerBuyQuoteVolume,
  };
}

/** All trades carry eight decimals, so dropping the point scales by 1e8. */
function scaled(text: string): bigint {
  const point = text.length - 9;
  return BigInt(text.slice(0, point) + text.slice(point + 1));
}

function unscaled(value: bigint): string {
  return `${value / ONE}.${String(value % ONE).padStart(8, '0')}`;
}

function candleJson(openUs: number, stepUs: number, candle: Candle, unit: TimeUnit): string {
  const open = unit === 'us' ? openUs : openUs / 1000;
  const close = unit === 'us' ? openUs + stepUs - 1 : (openUs + stepUs) / 1000 - 1;
  const prices = [candle.open, candle.high, candle.low, candle.close, candle.volume]
    .map((value) => `"${unscaled(value)}"`)
    .join(',');
  const quote = unscaled(candle.quoteVolume / ONE);
  const takerQuote = unscaled(candle.takerBuyQuoteVolume / ONE);
  return `[${open},${prices},${close},"${quote}",${candle.rawTrades},"${unscaled(candle.takerBuyVolume)}","${takerQuote}","0"]`;
}
