import type { Bar } from '../../domain/bars/bar.ts';
import { formatDecimal, parseDecimal, PRICE_SCALE, QTY_SCALE } from '../../domain/trade/decimal.ts';
import { type Finding, type KlineCheck, listed } from '../../domain/proof/finding.ts';
import { HOUR_MS, MINUTE_MS, type TimeRange } from '../../domain/time/hour.ts';
import type { Kline } from '../../ports/trade-source.ts';

/** The range of one request, which has weight 2. */
const PAGE_MS = 1_000 * MINUTE_MS;

type Candles = { readonly answer: readonly Kline[] } | { readonly reason: string };

/**
 * Compares minutes exactly with the exchange's own candles: volume, taker buy volume, number of trades,
 * open, high, low, close. The candles are independent evidence: the exchange makes them from its own
 * records, not from what it sent to cdvault.
 * @param minutes bars of one minute, computed from the stored trades
 * @param hours proven hours to compare, ascending
 * @param ask requests the candles of a page of minutes; returns the reason when there are none
 * @returns the result of what was compared; if `reason` is set, the comparison stopped early for it
 */
export async function verifyKlines(
  minutes: readonly Bar[],
  hours: readonly number[],
  ask: (page: TimeRange) => Promise<Candles>,
): Promise<KlineCheck & { readonly findings: readonly Finding[]; readonly reason?: string }> {
  const ours = new Map(minutes.map((bar) => [bar.openMs, bar]));
  const findings: Finding[] = [];
  let compared = 0;
  let reason: string | undefined;
  for (const range of pages(hours)) {
    const said = await ask(range);
    if ('reason' in said) {
      reason = said.reason;
      break;
    }
    const theirs = new Map(said.answer.map((kline) => [kline.openMs, kline]));
    for (let openMs = range.startMs; openMs < range.endMs; openMs += MINUTE_MS) {
      compared += 1;
      const detail = difference(ours.get(openMs), theirs.get(openMs));
      if (detail !== undefined) findings.push({ kind: 'kline_differs', atMs: openMs, detail });
    }
  }
  return {
    minutes: compared,
    equal: compared - findings.length,
    findings: listed(findings, 'minutes'),
    ...(reason !== undefined && { reason }),
  };
}

/** Splits each series of consecutive hours into pages. */
function* pages(hours: readonly number[]): Generator<TimeRange> {
  let startMs: number | undefined;
  for (const [index, hourMs] of hours.entries()) {
    startMs ??= hourMs;
    const endMs = hourMs + HOUR_MS;
    if (hours[index + 1] === endMs) continue;
    for (let fromMs = startMs; fromMs < endMs; fromMs += PAGE_MS)
      yield { startMs: fromMs, endMs: Math.min(endMs, fromMs + PAGE_MS) };
    startMs = undefined;
  }
}

/** For a minute without trades there may be an empty candle or none; its prices are not compared. */
function difference(bar: Bar | undefined, kline: Kline | undefined): string | undefined {
  const isSilent = bar === undefined || bar.aggTrades === 0;
  if (isSilent && (kline === undefined || kline.trades === 0)) return undefined;
  if (kline === undefined)
    return `the exchange has no candle, the store has ${bar?.trades ?? 0} trades`;
  if (isSilent)
    return `the exchange's candle has ${kline.trades} trades, volume ${kline.volume}; the store has none`;
  const pairs: readonly (readonly [string, string | undefined, string])[] = [
    ['trades', String(bar.trades), String(kline.trades)],
    ['volume', qty(bar.buyVolume + bar.sellVolume), sameScale(kline.volume, QTY_SCALE)],
    ['taker buy volume', qty(bar.buyVolume), sameScale(kline.takerBuyVolume, QTY_SCALE)],
    ['open', price(bar.priceOpen), sameScale(kline.open, PRICE_SCALE)],
    ['high', price(bar.priceHigh), sameScale(kline.high, PRICE_SCALE)],
    ['low', price(bar.priceLow), sameScale(kline.low, PRICE_SCALE)],
    ['close', price(bar.priceClose), sameScale(kline.close, PRICE_SCALE)],
  ];
  const wrong = pairs.filter(([, mine, theirs]) => mine !== theirs);
  if (wrong.length === 0) return undefined;
  return wrong
    .map(([name, mine, theirs]) => `${name} is ${mine ?? '-'}, the exchange's candle has ${theirs}`)
    .join('; ');
}

function qty(amount: bigint): string {
  return formatDecimal(amount, QTY_SCALE);
}

function price(value: bigint | undefined): string | undefined {
  return value === undefined ? undefined : formatDecimal(value, PRICE_SCALE);
}

/** Brings the exchange's decimal to our number of decimal places. */
function sameScale(decimal: string, scale: number): string {
  return formatDecimal(parseDecimal(decimal, scale), scale);
}
