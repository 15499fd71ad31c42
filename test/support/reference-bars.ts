/**
 * CDV bars from a stream of trades. This is the reference that the stored bars are compared with, never the
 * production path. It uses another method: one pass, one running bigint.
 */

import { type AggTrade, isInvalid } from '../../src/domain/trade/agg-trade.ts';
import { type Bar, silentBar } from '../../src/domain/bars/bar.ts';
import { parseDecimal, PRICE_SCALE, QTY_SCALE } from '../../src/domain/trade/decimal.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';

export interface CdvRequest {
  readonly intervalMs: number;
  /**
   * Starts of the hours that are known to be complete, any order. Silent bars are given only where
   * they overlap one of these hours: elsewhere trades may exist that were not fetched.
   */
  readonly denseHours: readonly number[];
  /** The instant at which the level is 0; trades before it are left out. Default: the first trade. */
  readonly fromMs?: number;
}

/**
 * Bars in time order. Invalid trades and tombstones are left out.
 * @param trades in (timeUs, aggId) order
 * @throws RangeError when they are not, since every level after that would be wrong
 */
export function* cdvBars(trades: Iterable<AggTrade>, request: CdvRequest): Generator<Bar> {
  const pass = new BarPass(request);
  for (const trade of trades) yield* pass.accept(trade);
  yield* pass.finish();
}

/** The same as cdvBars(), for an asynchronous stream of trades. */
export async function* cdvBarsFrom(
  trades: AsyncIterable<AggTrade>,
  request: CdvRequest,
): AsyncGenerator<Bar> {
  const pass = new BarPass(request);
  for await (const trade of trades) yield* pass.accept(trade);
  yield* pass.finish();
}

/** Order of trades for bars: by time, and by id where several share one instant. */
export function compareForBars(left: AggTrade, right: AggTrade): number {
  return left.timeUs - right.timeUs || left.aggId - right.aggId;
}

const NO_BARS: readonly Bar[] = [];

/** One pass over trades, given one at a time. */
export class BarPass {
  readonly #intervalUs: number;
  readonly #fromUs: number;
  /** Starts of the bars that must exist even if silent, oldest first. */
  readonly #due: readonly number[];
  #dueIndex = 0;
  #level = 0n;
  #open: OpenBar | undefined;
  #endUs = -Infinity;
  #lastUs = -Infinity;
  #lastId = -Infinity;

  constructor(request: CdvRequest) {
    this.#intervalUs = request.intervalMs * 1000;
    this.#fromUs = (request.fromMs ?? -Infinity) * 1000;
    this.#due = dueBars(request);
  }

  /** @returns the bars that end before this trade */
  accept(trade: AggTrade): readonly Bar[] {
    this.#checkOrder(trade);
    if (trade.timeUs < this.#fromUs || isInvalid(trade)) return NO_BARS;
    const finished = trade.timeUs < this.#endUs ? NO_BARS : this.#moveTo(trade.timeUs);
    const qty = parseDecimal(trade.qty, QTY_SCALE);
    this.#level += trade.isBuyerMaker ? -qty : qty;
    const price = parseDecimal(trade.price, PRICE_SCALE);
    if (this.#open === undefined) {
      this.#open = new OpenBar(
        (this.#endUs - this.#intervalUs) / 1000,
        this.#level,
        price,
        trade.aggId,
      );
    }
    this.#open.add(trade, price, qty, this.#level);
    return finished;
  }

  finish(): readonly Bar[] {
    const bars = this.#closeOpen();
    for (const openMs of this.#due.slice(this.#dueIndex)) bars.push(silentBar(openMs, this.#level));
    this.#dueIndex = this.#due.length;
    return bars;
  }

  /** Closes the current bar; also returns the silent ones between it and the bar that contains `timeUs`. */
  #moveTo(timeUs: number): Bar[] {
    const bars = this.#closeOpen();
    const openUs = Math.floor(timeUs / this.#intervalUs) * this.#intervalUs;
    const openMs = openUs / 1000;
    for (
      let due = this.#due[this.#dueIndex];
      due !== undefined && due <= openMs;
      due = this.#due[this.#dueIndex]
    ) {
      if (due < openMs) bars.push(silentBar(due, this.#level));
      this.#dueIndex += 1;
    }
    this.#endUs = openUs + this.#intervalUs;
    return bars;
  }

  #closeOpen(): Bar[] {
    const bars = this.#open === undefined ? [] : [this.#open.close(this.#level)];
    this.#open = undefined;
    return bars;
  }

  #checkOrder({ timeUs, aggId }: AggTrade): void {
    if (timeUs < this.#lastUs || (timeUs === this.#lastUs && aggId <= this.#lastId)) {
      throw new RangeError(
        `trade ${aggId} at ${timeUs} µs comes after trade ${this.#lastId} at ${this.#lastUs} µs`,
      );
    }
    this.#lastUs = timeUs;
    this.#lastId = aggId;
  }
}

function dueBars({ intervalMs, denseHours, fromMs = -Infinity }: CdvRequest): number[] {
  const due: number[] = [];
  let last = -Infinity;
  for (const hourMs of denseHours.toSorted((left, right) => left - right)) {
    const first = Math.floor(hourMs / intervalMs) * intervalMs;
    for (let openMs = first; openMs < hourMs + HOUR_MS; openMs += intervalMs) {
      if (openMs <= last || openMs + intervalMs <= fromMs) continue;
      due.push(openMs);
      last = openMs;
    }
  }
  return due;
}

/** The bar that is being computed. */
class OpenBar {
  readonly #openMs: number;
  readonly #open: bigint;
  readonly #priceOpen: bigint;
  #high: bigint;
  #low: bigint;
  #buyVolume = 0n;
  #sellVolume = 0n;
  #buyQuote = 0n;
  #sellQuote = 0n;
  #aggTrades = 0;
  #trades = 0;
  #buyAggTrades = 0;
  #buyTrades = 0;
  #priceHigh: bigint;
  #priceLow: bigint;
  #priceClose: bigint;
  #firstId: number;
  #lastId: number;

  constructor(openMs: number, level: bigint, price: bigint, aggId: number) {
    this.#openMs = openMs;
    this.#open = this.#high = this.#low = level;
    this.#priceOpen = this.#priceHigh = this.#priceLow = this.#priceClose = price;
    this.#firstId = this.#lastId = aggId;
  }

  /** @param level CDV after this trade */
  add(trade: AggTrade, price: bigint, qty: bigint, level: bigint): void {
    if (level > this.#high) this.#high = level;
    if (level < this.#low) this.#low = level;
    if (price > this.#priceHigh) this.#priceHigh = price;
    if (price < this.#priceLow) this.#priceLow = price;
    this.#priceClose = price;
    const fills = trade.lastId - trade.firstId + 1;
    if (trade.isBuyerMaker) {
      this.#sellVolume += qty;
      this.#sellQuote += price * qty;
    } else {
      this.#buyVolume += qty;
      this.#buyQuote += price * qty;
      this.#buyAggTrades += 1;
      this.#buyTrades += fills;
    }
    this.#aggTrades += 1;
    this.#trades += fills;
    this.#firstId = Math.min(this.#firstId, trade.aggId);
    this.#lastId = Math.max(this.#lastId, trade.aggId);
  }

  close(level: bigint): Bar {
    return {
      openMs: this.#openMs,
      open: this.#open,
      high: this.#high,
      low: this.#low,
      close: level,
      delta: this.#buyVolume - this.#sellVolume,
      buyVolume: this.#buyVolume,
      sellVolume: this.#sellVolume,
      quoteDelta: this.#buyQuote - this.#sellQuote,
      quoteVolume: this.#buyQuote + this.#sellQuote,
      aggTrades: this.#aggTrades,
      trades: this.#trades,
      buyAggTrades: this.#buyAggTrades,
      buyTrades: this.#buyTrades,
      priceOpen: this.#priceOpen,
      priceHigh: this.#priceHigh,
      priceLow: this.#priceLow,
      priceClose: this.#priceClose,
      firstId: this.#firstId,
      lastId: this.#lastId,
    };
  }
}
