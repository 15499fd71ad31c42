import { type Bar, silentBar } from '../../domain/bars/bar.ts';
import type { Contract } from '../../domain/bars/contract.ts';
import type { TierBounds } from '../../domain/bars/tier.ts';
import { parseDecimal, PRICE_SCALE, QUOTE_SCALE } from '../../domain/trade/decimal.ts';
import { priceE8, qtyE8, type StoredTrades } from '../../domain/trade/stored-trades.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time/hour.ts';

/** 1 unit of quote currency in units of 1e-16, the scale of price × quantity. */
const QUOTE_UNIT = 10n ** BigInt(QUOTE_SCALE);

interface DayRequest {
  readonly tiers: TierBounds;
  readonly contract: Contract | undefined;
  /** Hours known to be complete: their minutes without trades have bars, too. */
  readonly denseHours: ReadonlySet<number>;
}

/**
 * Minute bars of a day, of all trades and of each tier: the second computation, which shares no method with
 * the one that made the stored bars. It keeps the trades of one hour as columns, puts them in the order of
 * time and id, and adds them up one by one in bigints.
 */
export class DayMinutes {
  readonly #request: DayRequest;
  readonly #boundsE16: readonly bigint[];
  readonly #contractE8: bigint | undefined;
  readonly #hour = new HourColumns();
  readonly #all = new Level();
  readonly #tiers: readonly { readonly level: Level; readonly bars: Bar[] }[];
  readonly #minutes: Bar[] = [];

  constructor(request: DayRequest) {
    this.#request = request;
    const { tiers, contract } = request;
    this.#boundsE16 = tiers.map((bound) => BigInt(bound) * QUOTE_UNIT);
    this.#contractE8 =
      contract?.size === undefined ? undefined : parseDecimal(contract.size, PRICE_SCALE);
    this.#tiers = tiers.map(() => ({ level: new Level(), bars: [] }));
  }

  /** @param trades rows `[from, to)` of one hour by their time, in any order */
  add(trades: StoredTrades, from: number, to: number): void {
    this.#hour.add(trades, from, to);
  }

  /** Called after the rows of each hour, also of an hour without rows, oldest first. */
  endHour(hourMs: number): void {
    const isDense = this.#request.denseHours.has(hourMs);
    const order = this.#hour.inOrder();
    let at = 0;
    for (let openMs = hourMs; openMs < hourMs + HOUR_MS; openMs += MINUTE_MS) {
      const endUs = (openMs + MINUTE_MS) * 1000;
      const start = at;
      while (at < order.length && this.#hour.timeUs(order[at] ?? 0) < endUs) at += 1;
      if (at > start || isDense) this.#minute(openMs, order.subarray(start, at));
    }
    this.#hour.clear();
  }

  get minutes(): readonly Bar[] {
    return this.#minutes;
  }

  /** By tier, in the order of the bounds; without bars where the contract size is unknown. */
  get tiers(): readonly (readonly Bar[])[] {
    return this.#tiers.map(({ bars }) => bars);
  }

  #minute(openMs: number, order: Uint32Array): void {
    for (const index of order) {
      const trade = this.#hour.trade(index);
      this.#all.add(trade);
      this.#tierOf(trade)?.level.add(trade);
    }
    this.#minutes.push(this.#all.close(openMs));
    const { contract } = this.#request;
    if (contract !== undefined && contract.size === undefined) return;
    for (const { level, bars } of this.#tiers) bars.push(level.close(openMs));
  }

  #tierOf({ qtyE8: qty, quoteE16 }: HourTrade) {
    const valueE16 = this.#contractE8 === undefined ? quoteE16 : this.#contractE8 * qty;
    return this.#tiers[this.#boundsE16.findLastIndex((bound) => valueE16 >= bound)];
  }
}

interface HourTrade {
  readonly aggId: number;
  readonly priceE8: bigint;
  readonly qtyE8: bigint;
  readonly quoteE16: bigint;
  /** Raw trades that it aggregates. */
  readonly fills: number;
  readonly isBuyerMaker: boolean;
}

/** A running sum of signed quantities, and the bar that is being computed from it. */
class Level {
  #level = 0n;
  #bar: Writable<Bar> | undefined;

  add({ aggId, priceE8: price, qtyE8: qty, quoteE16, fills, isBuyerMaker }: HourTrade): void {
    this.#level += isBuyerMaker ? -qty : qty;
    const level = this.#level;
    this.#bar ??= firstBar(level, price, aggId);
    const bar = this.#bar;
    if (level > bar.high) bar.high = level;
    if (level < bar.low) bar.low = level;
    if (price > (bar.priceHigh ?? price)) bar.priceHigh = price;
    if (price < (bar.priceLow ?? price)) bar.priceLow = price;
    bar.priceClose = price;
    bar.quoteVolume += quoteE16;
    bar.aggTrades += 1;
    bar.trades += fills;
    if (isBuyerMaker) {
      bar.sellVolume += qty;
      bar.quoteDelta -= quoteE16;
    } else {
      bar.buyVolume += qty;
      bar.quoteDelta += quoteE16;
      bar.buyAggTrades += 1;
      bar.buyTrades += fills;
    }
    if (aggId < (bar.firstId ?? aggId)) bar.firstId = aggId;
    if (aggId > (bar.lastId ?? aggId)) bar.lastId = aggId;
  }

  /** The bar of the trades since the last call; without trades a silent one. */
  close(openMs: number): Bar {
    const bar = this.#bar;
    this.#bar = undefined;
    if (bar === undefined) return silentBar(openMs, this.#level);
    return { ...bar, openMs, close: this.#level, delta: bar.buyVolume - bar.sellVolume };
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function firstBar(level: bigint, price: bigint, aggId: number): Writable<Bar> {
  return {
    ...silentBar(0, level),
    priceOpen: price,
    priceHigh: price,
    priceLow: price,
    firstId: aggId,
    lastId: aggId,
  };
}

/** Rows that the columns have room for at first. */
const FIRST_ROWS = 65_536;

/** The valid trades of one hour. The columns grow to those of the busiest hour and stay. */
class HourColumns {
  #columns = columnsOf(FIRST_ROWS);
  #rows = 0;
  #isInOrder = true;
  /** Values beyond 2^53, by row. */
  readonly #large = new Map<number, Pick<HourTrade, 'priceE8' | 'qtyE8'>>();

  add(trades: StoredTrades, from: number, to: number): void {
    if (this.#rows + to - from > this.#columns.ids.length) this.#grow(to - from);
    const { times, ids, prices, qtys, fills, makers } = this.#columns;
    for (let row = from; row < to; row += 1) {
      if (trades.valids[row] !== 1) continue;
      const at = this.#rows;
      times[at] = trades.timesUs[row] ?? 0;
      ids[at] = trades.aggIds[row] ?? 0;
      prices[at] = trades.pricesE8[row] ?? 0;
      qtys[at] = trades.qtysE8[row] ?? 0;
      fills[at] = (trades.lastIds[row] ?? 0) - (trades.firstIds[row] ?? 0) + 1;
      makers[at] = trades.makers[row] ?? 0;
      if (prices[at] === Infinity || qtys[at] === Infinity)
        this.#large.set(at, { priceE8: priceE8(trades, row), qtyE8: qtyE8(trades, row) });
      if (at > 0 && this.#compare(at - 1, at) > 0) this.#isInOrder = false;
      this.#rows += 1;
    }
  }

  timeUs(index: number): number {
    return this.#columns.times[index] ?? 0;
  }

  trade(index: number): HourTrade {
    const { ids, prices, qtys, fills, makers } = this.#columns;
    const large = this.#large.get(index);
    const price = large?.priceE8 ?? BigInt(prices[index] ?? 0);
    const qty = large?.qtyE8 ?? BigInt(qtys[index] ?? 0);
    return {
      aggId: ids[index] ?? 0,
      priceE8: price,
      qtyE8: qty,
      quoteE16: price * qty,
      fills: fills[index] ?? 0,
      isBuyerMaker: makers[index] === 1,
    };
  }

  /** The rows in the order of bars: by time, and by id where several share one instant. */
  inOrder(): Uint32Array {
    const order = Uint32Array.from({ length: this.#rows }, (_, index) => index);
    return this.#isInOrder ? order : order.sort((left, right) => this.#compare(left, right));
  }

  clear(): void {
    this.#rows = 0;
    this.#isInOrder = true;
    this.#large.clear();
  }

  #compare(left: number, right: number): number {
    const { times, ids } = this.#columns;
    const byTime = (times[left] ?? 0) - (times[right] ?? 0);
    return byTime === 0 ? (ids[left] ?? 0) - (ids[right] ?? 0) : byTime;
  }

  #grow(more: number): void {
    const larger = columnsOf(2 * (this.#rows + more));
    for (const name of COLUMN_NAMES) larger[name].set(this.#columns[name]);
    this.#columns = larger;
  }
}

const COLUMN_NAMES = ['times', 'ids', 'prices', 'qtys', 'fills', 'makers'] as const;

function columnsOf(rows: number) {
  return {
    times: new Float64Array(rows),
    ids: new Float64Array(rows),
    prices: new Float64Array(rows),
    qtys: new Float64Array(rows),
    fills: new Float64Array(rows),
    makers: new Uint8Array(rows),
  };
}
