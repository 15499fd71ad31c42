/**
 * Bars whose levels count from any anchor, computed from the exchange's trades: one running sum, cut by
 * time. Shares no code with src, and finds clock times by formatting every minute in the time zone.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface Traded {
  readonly timeUs: number;
  readonly a: number;
  /** Price as decimal text. */
  readonly p: string;
  /** Quantity as decimal text. */
  readonly q: string;
  /** The first and last of the fills that the trade aggregates. */
  readonly f: number;
  readonly l: number;
  /** true when the buyer was the maker, so the taker sold. */
  readonly m: boolean;
}

/** The time of a bar, `[startMs, endMs)`; its level is 0 at `anchorMs`. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
  readonly anchorMs: number;
}

/** Levels and delta in units of 1e-8. */
export interface ReferenceBar extends Span {
  readonly open: bigint;
  readonly high: bigint;
  readonly low: bigint;
  readonly close: bigint;
  readonly delta: bigint;
  readonly trades: readonly Traded[];
}

export class AnchoredReference {
  readonly #trades: readonly Traded[];
  readonly #timesUs: readonly number[];
  /** The running sum before each trade, and after the last. */
  readonly #sums: readonly bigint[];

  /** @param trades in the order of their ids */
  constructor(trades: readonly Traded[]) {
    this.#trades = trades;
    this.#timesUs = trades.map(({ timeUs }) => timeUs);
    let sum = 0n;
    this.#sums = [0n, ...trades.map(({ q, m }) => (sum += m ? -unitsOf(q) : unitsOf(q)))];
  }

  /** @param opensAt `first`: after the bar's first trade; `previous`: at the close of the bar before it */
  bar(span: Span, opensAt: 'first' | 'previous' = 'first'): ReferenceBar {
    const [anchor, start, end] = [span.anchorMs, span.startMs, span.endMs].map((ms) =>
      this.#indexAt(ms),
    ) as [number, number, number];
    const level = (index: number) => (this.#sums[index] ?? 0n) - (this.#sums[anchor] ?? 0n);
    const levels = Array.from({ length: end - start }, (_, place) => level(start + place + 1));
    if (opensAt === 'previous' || levels.length === 0) levels.unshift(level(start));
    const [open = 0n] = levels;
    return {
      ...span,
      open,
      high: levels.reduce((left, right) => (left > right ? left : right)),
      low: levels.reduce((left, right) => (left < right ? left : right)),
      close: level(end),
      delta: level(end) - level(start),
      trades: this.#trades.slice(start, end),
    };
  }

  /** The number of trades before an instant. */
  #indexAt(timeMs: number): number {
    let [low, high] = [0, this.#timesUs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timesUs[middle] ?? Infinity) >= timeMs * 1000) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** What bars say beside their levels, as in the exact tables. */
export function sizesOf({ trades }: Pick<ReferenceBar, 'trades'>) {
  const sum = (of: readonly Traded[], unitsEach: (trade: Traded) => bigint) =>
    of.reduce((units, trade) => units + unitsEach(trade), 0n);
  const bought = trades.filter(({ m }) => !m);
  const sold = trades.filter(({ m }) => m);
  const worth = ({ p, q }: Traded) => unitsOf(p) * unitsOf(q);
  const quantity = ({ q }: Traded) => unitsOf(q);
  const byPrice = trades.toSorted((left, right) => Number(left.p) - Number(right.p));
  const price = (trade: Traded | undefined) => trade && decimalText(unitsOf(trade.p));
  const [first, last] = [trades[0], trades.at(-1)];
  return {
    buyVolume: decimalText(sum(bought, quantity)),
    sellVolume: decimalText(sum(sold, quantity)),
    quoteDelta: decimalText(sum(bought, worth) - sum(sold, worth), 16),
    quoteVolume: decimalText(sum(trades, worth), 16),
    aggTrades: trades.length,
    trades: trades.reduce((count, { f, l }) => count + l - f + 1, 0),
    priceOpen: price(first),
    priceHigh: price(byPrice.at(-1)),
    priceLow: price(byPrice[0]),
    priceClose: price(last),
    firstId: first?.a,
    lastId: last?.a,
  };
}

function unitsOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(`${whole}${fraction.padEnd(8, '0')}`);
}

/** Units of 1e-8, or of another scale, in the format of the exact tables. */
export function decimalText(units: bigint, scale = 8): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The double nearest to the exact value. */
export function roundedOnce(units: bigint): number {
  return Number(decimalText(units));
}

/** Whether a level restarts at an instant. */
export type IsAnchor = (timeMs: number) => boolean;

export const atMidnight: IsAnchor = (timeMs) => timeMs % DAY_MS === 0;
export const onMonday: IsAnchor = (timeMs) =>
  atMidnight(timeMs) && new Date(timeMs).toUTCString().startsWith('Mon');
export const onFirstOfMonth: IsAnchor = (timeMs) =>
  atMidnight(timeMs) && new Date(timeMs).toISOString().slice(8, 10) === '01';

/** @param time in the form 09:30 */
export function onClock(time: string, timeZone: string): IsAnchor {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (timeMs) => clock.format(timeMs) === time;
}

/** Instants of a range, both ends included, at which levels restart. */
export function anchorsIn(isAnchor: IsAnchor, startMs: number, endMs: number): number[] {
  const found: number[] = [];
  for (let atMs = startMs; atMs <= endMs; atMs += MINUTE_MS) if (isAnchor(atMs)) found.push(atMs);
  return found;
}

/** Bars of one length from `startMs` on; the last one begins before `endMs`. */
export function evenSpans(
  startMs: number,
  endMs: number,
  lengthMs: number,
  anchorOf: (startMs: number) => number,
): Span[] {
  const spans: Span[] = [];
  for (let atMs = startMs; atMs < endMs; atMs += lengthMs)
    spans.push({ startMs: atMs, endMs: atMs + lengthMs, anchorMs: anchorOf(atMs) });
  return spans;
}

/** Bars aligned to anchors, from the first to the last anchor. */
export function alignedSpans(anchors: readonly number[], lengthMs: number): Span[] {
  return anchors.slice(0, -1).flatMap((anchorMs, index) => {
    const untilMs = anchors[index + 1] ?? anchorMs;
    const spans = evenSpans(anchorMs, untilMs, lengthMs, () => anchorMs);
    // A daily bar is the whole session.
    if (lengthMs === DAY_MS) return [{ startMs: anchorMs, endMs: untilMs, anchorMs }];
    return spans.map((span) => ({ ...span, endMs: Math.min(span.endMs, untilMs) }));
  });
}

/** @returns a function for the last of the ascending anchors at or before an instant */
export function lastOf(anchors: readonly number[]): (timeMs: number) => number {
  return (timeMs) => {
    const found = anchors.findLast((anchorMs) => anchorMs <= timeMs);
    if (found === undefined) throw new Error(`no anchor before ${new Date(timeMs).toISOString()}`);
    return found;
  };
}
