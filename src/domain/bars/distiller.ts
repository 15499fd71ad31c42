import { type AggTrade, isInvalid } from '../trade/agg-trade.ts';
import { type LimbPair, readAsciiE8, readE8, splitNumber } from '../trade/limbs.ts';
import { PRICE_FIELD, QTY_FIELD, type TradeBlock } from '../trade/trade-block.ts';
import { floorTo, HOUR_MS, MINUTE_MS } from '../time/hour.ts';
import type { Contract } from './contract.ts';
import type { DistilledHour, DistilledMinute } from './distilled.ts';
import { MinuteSums } from './minute-sums.ts';
import type { TierBounds } from './tier.ts';

/** Distils an hour from its trades while they are read. */
export interface HourDistiller {
  /** Trades in the order of bars: by time, and by id where several have the same time. */
  update(trade: AggTrade): void;
  /** The same as update() for the rows `[from, to)` of a block. */
  updateBlock(block: TradeBlock, from: number, to: number): void;
  /**
   * @returns undefined when a row was out of order or lay outside the hour by its time: bars need all rows
   *   of the hour's time, in their order
   */
  finish(): DistilledHour | undefined;
}

interface HourToDistil {
  readonly hourMs: number;
  readonly tiers: TierBounds;
  /** For a series that trades contracts. */
  readonly contract: Contract | undefined;
}

/** One pass, without a bigint or an object for each trade: an hour may have 100,000 of them. */
export function createHourDistiller(hour: HourToDistil): HourDistiller {
  return new Distiller(hour);
}

class Distiller implements HourDistiller {
  readonly #startUs: number;
  readonly #endUs: number;
  readonly #minute: MinuteSums;
  readonly #minutes: DistilledMinute[] = [];
  readonly #price: LimbPair = { low: 0, high: 0 };
  readonly #qty: LimbPair = { low: 0, high: 0 };
  /** Room for one field of a block. */
  readonly #ascii = new Uint8Array(40);
  #minuteEndUs = -Infinity;
  #lastUs = -Infinity;
  #lastId = -1;
  #rows = 0;
  #invalidRows = 0;
  #isClean = true;

  constructor({ hourMs, tiers, contract }: HourToDistil) {
    this.#startUs = hourMs * 1000;
    this.#endUs = (hourMs + HOUR_MS) * 1000;
    this.#minute = new MinuteSums(tiers, contract);
  }

  update(trade: AggTrade): void {
    const isValid = !isInvalid(trade);
    if (!this.#accepts(trade.aggId, trade.timeUs, isValid)) return;
    readE8(trade.price, this.#price);
    readE8(trade.qty, this.#qty);
    this.#minute.add(
      this.#price,
      this.#qty,
      trade.isBuyerMaker,
      trade.lastId - trade.firstId + 1,
      trade.aggId,
    );
  }

  updateBlock(block: TradeBlock, from: number, to: number): void {
    const { aggIds, timesUs, firstIds, lastIds, pricesE8, qtysE8, makers, valids } = block;
    const price = this.#price;
    const qty = this.#qty;
    const ascii = this.#ascii;
    for (let row = from; row < to; row += 1) {
      const aggId = aggIds[row] ?? 0;
      if (!this.#accepts(aggId, timesUs[row] ?? 0, valids[row] === 1)) continue;
      const priceE8 = pricesE8[row] ?? Infinity;
      if (priceE8 < Infinity) splitNumber(priceE8, price);
      else readAsciiE8(ascii, block.copyField(row, PRICE_FIELD, ascii, 0), price);
      const qtyE8 = qtysE8[row] ?? Infinity;
      if (qtyE8 < Infinity) splitNumber(qtyE8, qty);
      else readAsciiE8(ascii, block.copyField(row, QTY_FIELD, ascii, 0), qty);
      const fills = (lastIds[row] ?? 0) - (firstIds[row] ?? 0) + 1;
      this.#minute.add(price, qty, makers[row] === 1, fills, aggId);
    }
  }

  finish(): DistilledHour | undefined {
    this.#endMinute();
    if (!this.#isClean) return undefined;
    let buyE8 = 0n;
    let sellE8 = 0n;
    for (const minute of this.#minutes) {
      buyE8 += minute.buyE8;
      sellE8 += minute.sellE8;
    }
    const [rows, invalidRows] = [this.#rows, this.#invalidRows];
    return { minutes: this.#minutes, rows, invalidRows, buyE8, sellE8 };
  }

  /** @returns whether the row counts in its minute */
  #accepts(aggId: number, timeUs: number, isValid: boolean): boolean {
    const isAfter = timeUs > this.#lastUs || (timeUs === this.#lastUs && aggId > this.#lastId);
    if (!isAfter || timeUs < this.#startUs || timeUs >= this.#endUs) this.#isClean = false;
    this.#lastUs = timeUs;
    this.#lastId = aggId;
    this.#rows += 1;
    if (!isValid) this.#invalidRows += 1;
    if (!isValid || !this.#isClean) return false;
    if (timeUs >= this.#minuteEndUs) {
      this.#endMinute();
      this.#minuteEndUs = floorTo(timeUs, MINUTE_MS * 1000) + MINUTE_MS * 1000;
    }
    return true;
  }

  #endMinute(): void {
    if (this.#minute.isEmpty) return;
    this.#minutes.push(this.#minute.take(this.#minuteEndUs / 1000 - MINUTE_MS));
  }
}
