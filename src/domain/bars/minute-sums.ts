import { parseDecimal, QTY_SCALE } from '../trade/decimal.ts';
import {
  addPair,
  copySum,
  isGreater,
  LIMB,
  type LimbPair,
  pairToBig,
  readE8,
  subtractPair,
  SUM_LIMBS,
  sumToBig,
} from '../trade/limbs.ts';
import { columnsOf, ProductSums } from '../trade/products.ts';
import type { Contract } from './contract.ts';
import type { BySide, DistilledMinute, DistilledSums } from './distilled.ts';
import type { TierBounds } from './tier.ts';

/** Places in the array of sums: six sums of three limbs each, and four counts. */
const LEVEL = 0;
const FIRST = SUM_LIMBS;
const HIGHEST = 2 * SUM_LIMBS;
const LOWEST = 3 * SUM_LIMBS;
const BUY = 4 * SUM_LIMBS;
const SELL = 5 * SUM_LIMBS;
const AGG_TRADES = 6 * SUM_LIMBS;
const TRADES = AGG_TRADES + 1;
const BUY_AGG_TRADES = AGG_TRADES + 2;
const BUY_TRADES = AGG_TRADES + 3;
/** The places of one group of trades: all of the minute's, or those of one tier. */
const PLACES = AGG_TRADES + 4;

/** Sums of products. */
const BUY_QUOTE = 0;
const SELL_QUOTE = 1;
/** The value of one trade. */
const SCRATCH = 2;

/**
 * The product of two rounded numbers is off by less than this part of it; a trade's value that is closer to
 * a bound is compared exactly.
 */
const ROUNDING = 1e-14;

/** 1 unit of quote currency in units of 1e-16, the scale of price × quantity. */
const QUOTE_UNIT = 10n ** 16n;

/** The running sums of one minute at a time. */
export class MinuteSums {
  readonly #sums: Float64Array;
  readonly #products = new ProductSums(3);
  readonly #contract: Contract | undefined;
  /** The value of one contract as a factor. */
  readonly #size: LimbPair = { low: 0, high: 0 };
  readonly #sizeE8: bigint | undefined;
  /** Lower bounds in units of 1e-16, rounded and exactly. */
  readonly #bounds: readonly { readonly about: number; readonly exact: Float64Array }[];
  readonly #tierCount: number;
  readonly #priceOpen: LimbPair = { low: 0, high: 0 };
  readonly #priceHigh: LimbPair = { low: 0, high: 0 };
  readonly #priceLow: LimbPair = { low: 0, high: 0 };
  readonly #priceClose: LimbPair = { low: 0, high: 0 };
  #buyBaseE24 = 0n;
  #sellBaseE24 = 0n;
  #firstId = Infinity;
  #lastId = -Infinity;

  constructor(tiers: TierBounds, contract: Contract | undefined) {
    this.#contract = contract;
    if (contract?.size !== undefined) {
      readE8(contract.size, this.#size);
      this.#sizeE8 = parseDecimal(contract.size, QTY_SCALE);
    }
    const isUnknown = contract !== undefined && contract.size === undefined;
    this.#tierCount = isUnknown ? 0 : tiers.length;
    this.#sums = new Float64Array(PLACES * (1 + this.#tierCount));
    this.#bounds = tiers.map((bound) => {
      const exact = BigInt(bound) * QUOTE_UNIT;
      return { about: Number(exact), exact: columnsOf(exact) };
    });
  }

  get isEmpty(): boolean {
    return this.#sums[AGG_TRADES] === 0;
  }

  /** @param fills raw trades in the trade */
  // oxlint-disable-next-line max-params -- an object for each trade would take longer than the sums
  add(price: LimbPair, qty: LimbPair, isSell: boolean, fills: number, aggId: number): void {
    const isFirst = this.#sums[AGG_TRADES] === 0;
    this.#count(0, qty, isSell, fills);
    if (isFirst) copyPair(price, this.#priceOpen);
    if (isFirst || isMore(price, this.#priceHigh)) copyPair(price, this.#priceHigh);
    if (isFirst || isMore(this.#priceLow, price)) copyPair(price, this.#priceLow);
    copyPair(price, this.#priceClose);
    if (aggId < this.#firstId) this.#firstId = aggId;
    if (aggId > this.#lastId) this.#lastId = aggId;
    if (this.#contract === undefined)
      this.#products.add(isSell ? SELL_QUOTE : BUY_QUOTE, price, qty);
    else if (this.#sizeE8 !== undefined) this.#addBase(price, qty, isSell, this.#sizeE8);
    if (this.#tierCount === 0) return;
    const tier = this.#tierOf(this.#contract === undefined ? price : this.#size, qty);
    this.#count(PLACES * (1 + tier), qty, isSell, fills);
  }

  /** Returns the minute's sums and starts again. */
  take(openMs: number): DistilledMinute {
    const sums = this.#sums;
    const minute: DistilledMinute = {
      openMs,
      ...this.#group(0),
      buyAggTrades: sums[BUY_AGG_TRADES] ?? 0,
      buyTrades: sums[BUY_TRADES] ?? 0,
      quoteE16: this.#quote(),
      baseE24:
        this.#sizeE8 === undefined ? undefined : { buy: this.#buyBaseE24, sell: this.#sellBaseE24 },
      priceOpen: pairToBig(this.#priceOpen),
      priceHigh: pairToBig(this.#priceHigh),
      priceLow: pairToBig(this.#priceLow),
      priceClose: pairToBig(this.#priceClose),
      firstId: this.#firstId,
      lastId: this.#lastId,
      tiers: Array.from({ length: this.#tierCount }, (_, tier) => {
        const at = PLACES * (1 + tier);
        return sums[at + AGG_TRADES] === 0 ? undefined : this.#group(at);
      }),
    };
    sums.fill(0);
    this.#buyBaseE24 = 0n;
    this.#sellBaseE24 = 0n;
    this.#firstId = Infinity;
    this.#lastId = -Infinity;
    return minute;
  }

  /** @param at where the group begins */
  #count(at: number, qty: LimbPair, isSell: boolean, fills: number): void {
    const sums = this.#sums;
    if (isSell) {
      addPair(sums, at + SELL, qty);
      subtractPair(sums, at + LEVEL, qty);
    } else {
      addPair(sums, at + BUY, qty);
      addPair(sums, at + LEVEL, qty);
      sums[at + BUY_AGG_TRADES] = (sums[at + BUY_AGG_TRADES] ?? 0) + 1;
      sums[at + BUY_TRADES] = (sums[at + BUY_TRADES] ?? 0) + fills;
    }
    const aggTrades = sums[at + AGG_TRADES] ?? 0;
    if (aggTrades === 0) copySum(sums, at + LEVEL, at + FIRST);
    if (aggTrades === 0 || isGreater(sums, at + LEVEL, at + HIGHEST))
      copySum(sums, at + LEVEL, at + HIGHEST);
    if (aggTrades === 0 || isGreater(sums, at + LOWEST, at + LEVEL))
      copySum(sums, at + LEVEL, at + LOWEST);
    sums[at + AGG_TRADES] = aggTrades + 1;
    sums[at + TRADES] = (sums[at + TRADES] ?? 0) + fills;
  }

  #group(at: number): DistilledSums {
    const sums = this.#sums;
    return {
      first: sumToBig(sums, at + FIRST),
      highest: sumToBig(sums, at + HIGHEST),
      lowest: sumToBig(sums, at + LOWEST),
      buyE8: sumToBig(sums, at + BUY),
      sellE8: sumToBig(sums, at + SELL),
      aggTrades: sums[at + AGG_TRADES] ?? 0,
      trades: sums[at + TRADES] ?? 0,
    };
  }

  #quote(): BySide | undefined {
    if (this.#contract === undefined)
      return { buy: this.#products.take(BUY_QUOTE), sell: this.#products.take(SELL_QUOTE) };
    const sizeE8 = this.#sizeE8;
    if (sizeE8 === undefined) return undefined;
    return { buy: sumToBig(this.#sums, BUY) * sizeE8, sell: sumToBig(this.#sums, SELL) * sizeE8 };
  }

  /** The highest tier whose bound the trade's value reaches. */
  #tierOf(worth: LimbPair, qty: LimbPair): number {
    const about = (worth.high * LIMB + worth.low) * (qty.high * LIMB + qty.low);
    for (let tier = this.#bounds.length - 1; tier > 0; tier -= 1) {
      const bound = this.#bounds[tier];
      if (bound === undefined || about < bound.about * (1 - ROUNDING)) continue;
      if (about > bound.about * (1 + ROUNDING)) return tier;
      this.#products.clear(SCRATCH);
      this.#products.add(SCRATCH, worth, qty);
      if (this.#products.reaches(SCRATCH, bound.exact)) return tier;
    }
    return 0;
  }

  /** Quotients are rounded at the 24th place and then added up exactly, so that their order does not matter. */
  #addBase(price: LimbPair, qty: LimbPair, isSell: boolean, sizeE8: bigint): void {
    const priceE8 = pairToBig(price);
    const worthE16 = pairToBig(qty) * sizeE8;
    // Adding half a unit before the division rounds to the nearest.
    const baseE24 = (2n * worthE16 * 10n ** 16n + priceE8) / (2n * priceE8);
    if (isSell) this.#sellBaseE24 += baseE24;
    else this.#buyBaseE24 += baseE24;
  }
}

function isMore(left: LimbPair, right: LimbPair): boolean {
  return left.high > right.high || (left.high === right.high && left.low > right.low);
}

function copyPair(from: LimbPair, to: LimbPair): void {
  to.low = from.low;
  to.high = from.high;
}
