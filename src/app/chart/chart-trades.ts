import { evenGrid, longestIntervalIn } from '../../domain/bars/bar-grid.ts';
import { binE8For } from '../../domain/bars/price-bin.ts';
import { CdvaultError } from '../../domain/errors.ts';
import type { Series } from '../../domain/market.ts';
import { DAY_MS, floorTo, HOUR_MS, type TimeRange, widenToHours } from '../../domain/time/hour.ts';
import { type Interval, INTERVAL_MS, INTERVALS } from '../../domain/time/interval.ts';
import { formatDecimal, parseDecimal, PRICE_SCALE } from '../../domain/trade/decimal.ts';
import type { StoredBars } from '../../ports/bar-store.ts';
import type { ChartData } from '../../ports/chart-data.ts';
import type { TradeReads } from '../../ports/chart-trades.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { Prunings } from '../../ports/prunings.ts';
import { assertNotPruned } from '../assert-not-pruned.ts';
import { assertStored } from './assert-stored.ts';

export interface TradesDeps {
  readonly bars: Pick<StoredBars, 'bars'>;
  readonly ledger: Pick<Ledger, 'knows' | 'totals'>;
  readonly trades: TradeReads;
  readonly prunings: Pick<Prunings, 'days'>;
}

/** QuestDB reads some three million trades a second on a small machine. */
const MAX_READ_TRADES = 5_000_000;
const MAX_CELLS = 20_000;
const MAX_TRADES = 10_000;
/** Bars from which the mean reach of prices is computed. */
const MAX_MEAN_BARS = 10_000;
const BINS_A_BAR = 20;
const BINS_A_PROFILE = 50;

type TradeAnswers = Pick<ChartData, 'footprint' | 'profile' | 'trades'>;

/** Answers that are computed from raw trades. */
export function tradeAnswers(deps: TradesDeps): TradeAnswers {
  return {
    async footprint(series, { range: asked, lengthMs, binE8: given }) {
      await assertStored(deps, series);
      const grid = evenGrid(lengthMs);
      const firstMs = grid.startOf(asked.startMs);
      const startMs = firstMs < asked.startMs ? grid.endOf(firstMs) : firstMs;
      const range = { startMs, endMs: grid.endOf(grid.startOf(asked.endMs - 1)) };
      await assertReadable(deps, series, range);
      const binE8 = given ?? binE8For(await meanSpanE8(deps, series, range, lengthMs), BINS_A_BAR);
      const bins = { originMs: grid.startOf(0), lengthMs, binE8 };
      const page = await deps.trades.cells(series, range, bins, MAX_CELLS);
      const { rows: cells, nextMs, sql } = page;
      if (nextMs === undefined || cells.length > 0)
        return { cells, bin: formatDecimal(binE8, PRICE_SCALE), nextMs, sql };
      throw new CdvaultError('BAD_RANGE', `a bar has more than ${MAX_CELLS} cells`, {
        advice: 'Ask for a larger bin, such as bin=auto, or for a shorter interval.',
      });
    },
    async profile(series, { range, binE8: given }) {
      await assertStored(deps, series);
      await assertReadable(deps, series, range);
      const whole = range.endMs - range.startMs;
      const oneBar = { originMs: range.startMs, lengthMs: whole };
      const spanOf = () => meanSpanE8(deps, series, range, whole);
      const binE8 = given ?? binE8For(await spanOf(), BINS_A_PROFILE);
      const asked = { ...oneBar, binE8 };
      const { rows: cells, nextMs, sql } = await deps.trades.cells(series, range, asked, MAX_CELLS);
      if (nextMs !== undefined) {
        throw new CdvaultError('BAD_RANGE', `the range has more than ${MAX_CELLS} bins`, {
          advice: 'Ask for a larger bin, such as bin=auto.',
        });
      }
      const bins = cells.map(({ timeMs: _timeMs, ...ofBin }) => ofBin);
      return { bins, bin: formatDecimal(binE8, PRICE_SCALE), sql };
    },
    async trades(series, request) {
      const { startMs, endMs } = request.range;
      if (endMs - startMs > DAY_MS) {
        throw new CdvaultError('BAD_RANGE', 'the range is longer than a day', {
          advice: 'Ask for at most a day of trades.',
        });
      }
      await assertStored(deps, series);
      await assertNotPruned(deps, series, request.range);
      return deps.trades.page(series, request, MAX_TRADES);
    },
  };
}

/**
 * @throws CdvaultError TRADES_PRUNED, or BAD_RANGE when the ledger has too many trades in the hours of the range
 */
async function assertReadable(
  { ledger, prunings }: TradesDeps,
  series: Series,
  range: TimeRange,
): Promise<void> {
  await assertNotPruned({ prunings }, series, range);
  const asked = widenToHours(range);
  const { rows: count } = await ledger.totals(series, asked);
  if (count <= MAX_READ_TRADES) return;
  const lengthMs = ((asked.endMs - asked.startMs) * MAX_READ_TRADES) / count;
  const hours = Math.max(1, Math.floor(lengthMs / HOUR_MS));
  throw new CdvaultError(
    'BAD_RANGE',
    `the hours of the range have ${count} trades; an answer is computed from at most ${MAX_READ_TRADES}`,
    { advice: `Ask for at most about ${hours} h of this series at a time.` },
  );
}

/** How far prices reach in a bar, on average; from stored bars, which are far fewer than trades. */
async function meanSpanE8(
  { bars }: Pick<TradesDeps, 'bars'>,
  series: Series,
  range: TimeRange,
  lengthMs: number,
): Promise<bigint> {
  const finest = longestIntervalIn([lengthMs, range.startMs]) ?? '1m';
  const reachMs = range.endMs - range.startMs;
  // A mean needs no more bars than these, also where they are longer than those asked for.
  const isFew = (one: Interval) => reachMs / INTERVAL_MS[one] <= MAX_MEAN_BARS;
  const interval = INTERVALS.slice(INTERVALS.indexOf(finest)).find((one) => isFew(one)) ?? '1d';
  const stored = await bars.bars(series, interval, range);
  const grid = evenGrid(lengthMs);
  const barOf = (openMs: number) =>
    lengthMs === range.endMs - range.startMs ? range.startMs : grid.startOf(openMs);
  const spans: bigint[] = [];
  for (const parts of Map.groupBy(stored, ({ openMs }) => barOf(openMs)).values()) {
    const e8 = (text: string) => parseDecimal(text, PRICE_SCALE);
    const highs = parts.flatMap(({ priceHigh }) => (priceHigh === undefined ? [] : e8(priceHigh)));
    const lows = parts.flatMap(({ priceLow }) => (priceLow === undefined ? [] : e8(priceLow)));
    if (highs.length === 0) continue;
    const high = highs.reduce((left, right) => (left > right ? left : right));
    spans.push(high - lows.reduce((left, right) => (left < right ? left : right)));
  }
  const count = BigInt(Math.max(1, spans.length));
  const mean = spans.reduce((total, span) => total + span, 0n) / count;
  // No bar begins in the range, or none has two prices: those of its days tell what a price moves.
  const days = {
    startMs: floorTo(range.startMs, DAY_MS),
    endMs: floorTo(range.endMs - 1, DAY_MS) + DAY_MS,
  };
  const isWider = days.startMs < range.startMs || days.endMs > range.endMs;
  return mean === 0n && isWider ? meanSpanE8({ bars }, series, days, DAY_MS) : mean;
}
