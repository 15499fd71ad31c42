import { hashNumbers, uniformOf, uniformSequence } from './random.ts';
import {
  burstyTimes,
  priceDrift,
  RAW_EXTRA_PER_GROUP,
  RAW_GROUP,
  rawExtras,
  unitsText,
} from './synthetic-shapes.ts';
import { lowerBound, type Trade, type TradeSeries } from './trade-series.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const MINUTES_IN_HOUR = 60;
const CACHED_MINUTES = 128;
const CACHED_HOURS = 256;

export interface SyntheticOptions {
  readonly seed: number;
  readonly fromMs: number;
  /** exclusive */
  readonly toMs: number;
  /** the mean: hours vary between 0.4 and 1.6 of it */
  readonly tradesPerHour: number;
  readonly firstId?: number;
  readonly firstRawId?: number;
  /** the middle of the price's walk */
  readonly price?: number;
  readonly priceDecimals?: number;
  readonly qtyDecimals?: number;
  /** half of the quantities are below about twice this many lots; the tail reaches 2,000 times it */
  readonly typicalLots?: number;
  /** a coin at 0.00001234 with whole quantities from millions up to 1e10 */
  readonly cheapCoin?: boolean;
  /** share of minutes without any trade */
  readonly silentShare?: number;
}

interface MinuteBlock {
  readonly startIndex: number;
  readonly timesUs: Float64Array;
  readonly lots: Float64Array;
  readonly ticks: Float64Array;
  readonly sells: Uint8Array;
}

/**
 * Trades made on demand: each is a pure function of the options, so any range can be served, and served again,
 * while memory holds only the counts of the hours (8 bytes an hour) and a few recent minutes.
 */
export function syntheticTrades(options: SyntheticOptions): TradeSeries {
  if (!(options.toMs > options.fromMs)) throw new RangeError('synthetic trades need toMs > fromMs');
  return new SyntheticSeries(options);
}

class SyntheticSeries implements TradeSeries {
  readonly count: number;
  readonly firstId: number;
  readonly endUs: number;
  readonly #options: SyntheticOptions;
  readonly #shape: {
    priceDecimals: number;
    qtyDecimals: number;
    typicalLots: number;
    middleTicks: number;
    silentShare: number;
    firstRawId: number;
  };
  readonly #firstHour: number;
  readonly #hourStart: Float64Array;
  readonly #minutesOfHour = new Map<number, Float64Array>();
  readonly #blocks = new Map<number, MinuteBlock>();
  #recent: MinuteBlock | undefined;
  #rawGroup: { group: number; before: Uint8Array } = {
    group: -1,
    before: new Uint8Array(RAW_GROUP),
  };

  constructor(options: SyntheticOptions) {
    const cheap = options.cheapCoin === true;
    const priceDecimals = options.priceDecimals ?? (cheap ? 8 : 2);
    const price = options.price ?? (cheap ? 0.00001234 : 42_000);
    this.#options = options;
    this.#shape = {
      priceDecimals,
      qtyDecimals: options.qtyDecimals ?? (cheap ? 0 : 5),
      typicalLots: options.typicalLots ?? (cheap ? 5_000_000 : 300),
      middleTicks: Math.max(10, Math.round(price * 10 ** priceDecimals)),
      silentShare: options.silentShare ?? 0.04,
      firstRawId: options.firstRawId ?? 1,
    };
    this.firstId = options.firstId ?? 1;
    this.endUs = options.toMs * 1000;
    this.#firstHour = Math.floor(options.fromMs / HOUR_MS);
    this.#hourStart = this.#countHours(Math.ceil(options.toMs / HOUR_MS) - this.#firstHour);
    this.count = this.#hourStart.at(-1) ?? 0;
  }

  #countHours(hours: number): Float64Array {
    const starts = new Float64Array(hours + 1);
    for (let hour = 0; hour < hours; hour++) {
      const startMs = (this.#firstHour + hour) * HOUR_MS;
      const covered =
        (Math.min(startMs + HOUR_MS, this.#options.toMs) -
          Math.max(startMs, this.#options.fromMs)) /
        HOUR_MS;
      const activity = 0.4 + 1.2 * uniformOf(this.#options.seed, 1, this.#firstHour + hour);
      starts[hour + 1] =
        (starts[hour] ?? 0) + Math.round(this.#options.tradesPerHour * activity * covered);
    }
    return starts;
  }

  /** Offsets, within the hour's trades, at which each of its minutes starts (61 of them). */
  #minuteStarts(hour: number): Float64Array {
    return cached(this.#minutesOfHour, hour, CACHED_HOURS, () => {
      const weights = new Float64Array(MINUTES_IN_HOUR + 1);
      for (let minute = 0; minute < MINUTES_IN_HOUR; minute++) {
        weights[minute + 1] =
          (weights[minute] ?? 0) +
          this.#minuteWeight((this.#firstHour + hour) * MINUTES_IN_HOUR + minute);
      }
      const count = (this.#hourStart[hour + 1] ?? 0) - (this.#hourStart[hour] ?? 0);
      const total = weights[MINUTES_IN_HOUR] ?? 0;
      const starts = weights.map((weight) => Math.floor((count * weight) / total));
      // Rounding must not lose the hour's last trade.
      starts[MINUTES_IN_HOUR] = count;
      return starts;
    });
  }

  #minuteWeight(minute: number): number {
    const covered = this.#minuteEndMs(minute) - this.#minuteStartMs(minute);
    if (covered <= 0) return 0;
    const kind = uniformOf(this.#options.seed, 2, minute);
    const size = uniformOf(this.#options.seed, 3, minute);
    // 1e-9 and not 0: an hour must keep its trades even when all its covered minutes are silent.
    if (kind < this.#shape.silentShare) return 1e-9;
    if (kind < this.#shape.silentShare + 0.1) return (0.05 * covered) / MINUTE_MS;
    if (kind > 0.97) return ((3 + 3 * size) * covered) / MINUTE_MS;
    return ((0.5 + size) * covered) / MINUTE_MS;
  }

  #minuteStartMs(minute: number): number {
    return Math.max(minute * MINUTE_MS, this.#options.fromMs);
  }

  #minuteEndMs(minute: number): number {
    return Math.min((minute + 1) * MINUTE_MS, this.#options.toMs);
  }

  #block(minute: number): MinuteBlock {
    return cached(this.#blocks, minute, CACHED_MINUTES, () => {
      const hour = Math.floor(minute / MINUTES_IN_HOUR) - this.#firstHour;
      const starts = this.#minuteStarts(hour);
      const slot = minute % MINUTES_IN_HOUR;
      const from = starts[slot] ?? 0;
      return this.#makeBlock(
        minute,
        (this.#hourStart[hour] ?? 0) + from,
        (starts[slot + 1] ?? from) - from,
      );
    });
  }

  #makeBlock(minute: number, startIndex: number, count: number): MinuteBlock {
    const next = uniformSequence(hashNumbers(this.#options.seed, 4, minute));
    const startUs = this.#minuteStartMs(minute) * 1000;
    const timesUs = burstyTimes(next, startUs, this.#minuteEndMs(minute) * 1000 - startUs, count);
    const lots = new Float64Array(count);
    const ticks = new Float64Array(count);
    const sells = new Uint8Array(count);
    const sellShare = 0.3 + 0.4 * next();
    const { middleTicks, typicalLots } = this.#shape;
    for (let slot = 0; slot < count; slot++) {
      const sell = next() < sellShare;
      sells[slot] = sell ? 1 : 0;
      lots[slot] = 1 + Math.floor(typicalLots / (next() + 0.0005));
      ticks[slot] = Math.max(
        1,
        Math.round(middleTicks * (1 + priceDrift(this.#options.seed, timesUs[slot] ?? startUs))) +
          (sell ? 0 : 1),
      );
    }
    return { startIndex, timesUs, lots, ticks, sells };
  }

  at(index: number): Trade {
    if (!(index >= 0 && index < this.count))
      throw new RangeError(`no trade at index ${index} of ${this.count}`);
    let block = this.#recent;
    if (
      block === undefined ||
      index < block.startIndex ||
      index >= block.startIndex + block.timesUs.length
    ) {
      block = this.#block(this.#minuteOfIndex(index));
      this.#recent = block;
    }
    const slot = index - block.startIndex;
    return {
      a: this.firstId + index,
      p: unitsText(block.ticks[slot] ?? 0, this.#shape.priceDecimals),
      q: unitsText(block.lots[slot] ?? 0, this.#shape.qtyDecimals),
      f: this.#shape.firstRawId + this.#rawBefore(index),
      l: this.#shape.firstRawId + this.#rawBefore(index + 1) - 1,
      timeUs: block.timesUs[slot] ?? 0,
      m: block.sells[slot] === 1,
    };
  }

  /** The number of raw trades in the aggregate trades before `index`: one each, and some extra. */
  #rawBefore(index: number): number {
    const group = Math.floor(index / RAW_GROUP);
    if (group !== this.#rawGroup.group)
      this.#rawGroup = { group, before: rawExtras(this.#options.seed, group) };
    return index + group * RAW_EXTRA_PER_GROUP + (this.#rawGroup.before[index % RAW_GROUP] ?? 0);
  }

  #minuteOfIndex(index: number): number {
    const hours = this.#hourStart.length - 1;
    const hour = lowerBound(
      0,
      hours,
      (candidate) => (this.#hourStart[candidate + 1] ?? Infinity) > index,
    );
    const starts = this.#minuteStarts(hour);
    const offset = index - (this.#hourStart[hour] ?? 0);
    const minute = lowerBound(
      0,
      MINUTES_IN_HOUR,
      (candidate) => (starts[candidate + 1] ?? Infinity) > offset,
    );
    return (this.#firstHour + hour) * MINUTES_IN_HOUR + minute;
  }

  indexOfId(id: number): number {
    return Math.min(this.count, Math.max(0, Math.ceil(id) - this.firstId));
  }

  indexAtTime(timeUs: number): number {
    if (timeUs <= this.#options.fromMs * 1000) return 0;
    if (timeUs >= this.endUs) return this.count;
    const block = this.#block(Math.floor(timeUs / (MINUTE_MS * 1000)));
    return (
      block.startIndex +
      lowerBound(0, block.timesUs.length, (slot) => (block.timesUs[slot] ?? Infinity) >= timeUs)
    );
  }
}

function cached<Value>(
  cache: Map<number, Value>,
  key: number,
  size: number,
  make: () => Value,
): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (cache.size >= size)
    for (const oldest of cache.keys()) {
      cache.delete(oldest);
      break;
    }
  cache.set(key, made);
  return made;
}
