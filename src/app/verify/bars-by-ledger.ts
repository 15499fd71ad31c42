import { dayInputs } from '../../domain/bars/day.ts';
import type { SliceRecord } from '../../domain/proof/ledger.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange } from '../../domain/time/hour.ts';
import { INTERVAL_MS, type Interval } from '../../domain/time/interval.ts';
import { parseDecimal, QTY_SCALE } from '../../domain/trade/decimal.ts';
import type { ExactBar } from '../../ports/bar-store.ts';

/** A bar, or a span of bars, that is not what the ledger gives. */
export interface UnlikeLedger {
  readonly atMs: number;
  readonly what: 'a bar is missing or not final' | 'bar_differs';
}

/**
 * What can be said of bars without their trades: there is one for each interval, all are final, they add up to
 * the ledger's exact sums and counts, and each follows from the one before.
 * @param asked whole hours of one day, all of them proven
 * @param records ledger rows of these hours, and of the hour after them: its rows may lie in the last one
 */
export function unlikeLedger(
  interval: Interval,
  asked: TimeRange,
  records: readonly SliceRecord[],
  bars: readonly ExactBar[],
): readonly UnlikeLedger[] {
  return [
    ...holes(interval, asked, bars),
    ...wrongSums(interval, floorTo(asked.startMs, DAY_MS), records, bars),
    ...wrongLevels(bars),
  ];
}

/** Proven hours have a final bar for each interval. */
function holes(
  interval: Interval,
  { startMs, endMs }: TimeRange,
  bars: readonly ExactBar[],
): UnlikeLedger[] {
  const final = new Set(
    bars.filter(({ status }) => status === 'final').map(({ openMs }) => openMs),
  );
  const missing: UnlikeLedger[] = [];
  for (let openMs = startMs; openMs < endMs; openMs += INTERVAL_MS[interval])
    if (!final.has(openMs)) missing.push({ atMs: openMs, what: 'a bar is missing or not final' });
  return missing;
}

/** The bars of each hour, or the hours of each bar, have the trades that the ledger counted. */
function wrongSums(
  interval: Interval,
  dayMs: number,
  records: readonly SliceRecord[],
  bars: readonly ExactBar[],
): UnlikeLedger[] {
  const spanMs = Math.max(HOUR_MS, INTERVAL_MS[interval]);
  const barsBySpan = Map.groupBy(bars, ({ openMs }) => floorTo(openMs, spanMs));
  // The row after the last hour is given for its rows in that hour only.
  const hours = (dayInputs(dayMs, records)?.hours ?? []).filter(({ hourMs }) =>
    barsBySpan.has(floorTo(hourMs, spanMs)),
  );
  const hoursBySpan = Map.groupBy(hours, ({ hourMs }) => floorTo(hourMs, spanMs));
  return [...barsBySpan].flatMap(([openMs, ours]) => {
    const proven = hoursBySpan.get(openMs) ?? [];
    const isSame =
      volume(ours, 'buyVolume') === proven.reduce((sum, { buyE8 }) => sum + buyE8, 0n) &&
      volume(ours, 'sellVolume') === proven.reduce((sum, { sellE8 }) => sum + sellE8, 0n) &&
      ours.reduce((sum, { aggTrades }) => sum + aggTrades, 0) ===
        proven.reduce((sum, { validRows }) => sum + validRows, 0);
    return isSame ? [] : { atMs: openMs, what: 'bar_differs' };
  });
}

/** Each close is the one before plus the delta of the bar, or the delta alone where the level starts. */
function wrongLevels(bars: readonly ExactBar[]): UnlikeLedger[] {
  const e8 = (text: string) => parseDecimal(text, QTY_SCALE);
  return bars.flatMap((bar, index) => {
    const { openMs, levelFromMs, open, high, low, close, delta, buyVolume, sellVolume } = bar;
    const before = bars[index - 1]?.close ?? (levelFromMs === openMs ? '0' : undefined);
    const follows = before === undefined || e8(before) + e8(delta) === e8(close);
    const isInside = [open, close].every((level) => e8(low) <= e8(level) && e8(level) <= e8(high));
    const isSum = e8(buyVolume) - e8(sellVolume) === e8(delta);
    return follows && isInside && isSum ? [] : { atMs: openMs, what: 'bar_differs' };
  });
}

export function volume(
  bars: readonly Pick<ExactBar, 'buyVolume' | 'sellVolume'>[],
  column: 'buyVolume' | 'sellVolume',
): bigint {
  return bars.reduce((e8, bar) => e8 + parseDecimal(bar[column], QTY_SCALE), 0n);
}
