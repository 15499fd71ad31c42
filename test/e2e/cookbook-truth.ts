import { type DayBar, dayBars, type DayTrade, rounded, stamp, within } from './cookbook-day.ts';
import {
  type Cell,
  correlations,
  divergences,
  footprint,
  outliers,
  rightShares,
  runningSessions,
  SESSIONS,
  sessionRow,
  signals,
  vpin,
} from './cookbook-series.ts';

/** The trades of the day by market, from which the recipes' answers are computed. */
export interface Truth {
  readonly spot: readonly DayTrade[];
  readonly um: readonly DayTrade[];
  /** Contracts of 100 USD. */
  readonly cm: readonly DayTrade[];
  readonly eth: readonly DayTrade[];
}

type Answer = (truth: Truth) => readonly (readonly Cell[])[];

const [FOUR_HOURS, HOUR, HALF_HOUR, DAY_MINUTES] = [240, 60, 30, 1440] as const;
const CONTRACT_USD = 100;

/**
 * The answers of each recipe, one for each query, computed from trades in another way than the queries do.
 * Cells are in the order of the query's columns, numbers as numbers.
 */
export const ANSWERS: Readonly<Record<number, readonly Answer[]>> = {
  1: [
    ({ spot }) =>
      dayBars(spot, FOUR_HOURS).map(({ at, open, high, low, close, delta }) => {
        return [at, open, high, low, close, delta, 'final', 0];
      }),
  ],
  2: [
    ({ spot }) =>
      dayBars(spot, 1)
        .toSorted((left, right) => Math.abs(right.delta) - Math.abs(left.delta))
        .slice(0, 8)
        .map(({ at, delta, volume, raw, price }) => [
          at,
          delta,
          volume,
          raw,
          price.open,
          price.close,
        ]),
  ],
  3: [
    ({ spot }) =>
      within(spot, '10:44', '10:45')
        .toSorted((left, right) => right.units - left.units || left.id - right.id)
        .slice(0, 5)
        .map(({ us, id, sign, units, price, raw }) => {
          return [stamp(us), id, sign === 1 ? 'buy' : 'sell', units / 1e8, price, raw];
        }),
  ],
  4: [
    ({ spot }) =>
      dayBars(within(spot, '10:44', '10:45'), 1 / 6)
        .filter(({ count }) => count > 0)
        .map(({ at, delta, volume, count }) => [at, delta, volume, count]),
  ],
  5: [
    ({ spot }) =>
      dayBars(spot, FOUR_HOURS).map(({ at, buy, sell, delta, volume }) => {
        return [at, buy, sell, rounded(delta / volume, 4)];
      }),
  ],
  6: [({ spot }) => divergences(dayBars(spot, HALF_HOUR))],
  7: [
    ({ spot }) =>
      dayBars(spot, 1)
        .filter(({ delta, price: { open, close } }) => {
          return Math.abs(delta) > 20 && (close - open) * delta <= 0;
        })
        .map(({ at, delta, price, raw }) => [at, delta, price.open, price.close, raw]),
  ],
  8: [({ spot }) => SESSIONS.map((session) => sessionRow(spot, session))],
  9: [({ spot }) => runningSessions(dayBars(spot, HOUR))],
  10: [
    ({ spot }) => {
      const [whales, others] = [tier(spot, 1e5, Infinity), tier(spot, 0, 1e5)].map((trades) =>
        dayBars(trades, HOUR),
      );
      return dayBars(spot, HOUR)
        .map(({ at, delta }, index) => {
          return [at, whales?.[index]?.delta ?? 0, others?.[index]?.delta ?? 0, delta];
        })
        .slice(8, 13);
    },
  ],
  11: [
    ({ spot }) =>
      ([0, 1e4, 1e5, 1e6] as const).map((from, index, bounds) => {
        const [bar] = dayBars(tier(spot, from, bounds[index + 1] ?? Infinity), DAY_MINUTES);
        if (bar === undefined) throw new Error('a day has a bar');
        const { open, high, low, close, buy, sell, raw } = bar;
        return [String(from), open, high, low, close, buy, sell, raw];
      }),
  ],
  12: [
    ({ spot }) =>
      dayBars(spot, HOUR)
        .filter(({ delta, rawDelta }) => delta * rawDelta < 0)
        .map(({ at, delta, rawDelta, countDelta }) => [at, delta, rawDelta, countDelta]),
  ],
  13: [
    ({ spot }) =>
      dayBars(spot, FOUR_HOURS).map((bar) => {
        const all = (bar.quoteBuy + bar.quoteSell) / bar.volume;
        return [bar.at, ...vwaps(bar, 2), rounded(all, 2), bar.price.close];
      }),
    ({ spot }) => dayBars(within(spot, '10:30', '11:00'), DAY_MINUTES).map((bar) => vwaps(bar, 4)),
  ],
  14: [({ spot }) => footprint(within(spot, '10:30', '11:00'))],
  15: [
    ({ spot, um }) => {
      const perpetual = dayBars(um, FOUR_HOURS);
      return dayBars(spot, FOUR_HOURS).map(({ at, close, delta }, index) => {
        const other = perpetual[index];
        const [otherClose = Number.NaN, otherDelta = Number.NaN] = [other?.close, other?.delta];
        return [at, close, otherClose, close - otherClose, delta - otherDelta];
      });
    },
  ],
  16: [
    ({ spot, um, cm }) => {
      const coins = cm.map((trade) => ({
        ...trade,
        units: (trade.units * CONTRACT_USD) / trade.price,
      }));
      const markets = [spot, um, coins].map((trades) => dayBars(trades, FOUR_HOURS));
      return dayBars(spot, FOUR_HOURS).map(({ at }, index) => {
        const own = markets.map((bars) => bars[index]);
        const total = (field: 'delta' | 'volume') =>
          own.reduce((sum, bar) => sum + (bar?.[field] ?? Number.NaN), 0);
        return [at, rounded(total('delta'), 5), rounded(total('volume'), 5), own.length];
      });
    },
  ],
  17: [
    ({ spot, eth }) => {
      const other = dayBars(eth, FOUR_HOURS);
      return dayBars(spot, FOUR_HOURS).map(({ at, quoteDelta }, index) => {
        const etherDelta = other[index]?.quoteDelta ?? Number.NaN;
        return [at, quoteDelta, etherDelta, quoteDelta + etherDelta];
      });
    },
  ],
  18: [({ spot }) => outliers(dayBars(spot, 1))],
  19: [({ spot }) => correlations(dayBars(spot, 1))],
  20: [({ spot }) => vpin(spot)],
  21: [
    () =>
      Array.from({ length: 6 }, (_, hour) => [`2024-01-02 0${hour}:00:00.000000`, 'absent', '']),
  ],
  22: [
    ({ spot }) => {
      const [day] = dayBars(spot, DAY_MINUTES);
      const [volume, buy, trades] = [27174.29903, 14331.7318, 1_114_623];
      if (day === undefined) throw new Error('a day has a bar');
      return [[day.at, day.volume - volume, day.delta - (2 * buy - volume), day.raw - trades]];
    },
  ],
  23: [({ spot }) => signals(dayBars(spot, 1)), ({ spot }) => rightShares(dayBars(spot, 1))],
  24: [
    ({ spot }) =>
      dayBars(spot, DAY_MINUTES).map(({ at, open, high, low, close }) => [
        at,
        open,
        high,
        low,
        close,
        1,
      ]),
    ({ spot }) =>
      dayBars(spot, 2 * HOUR)
        .slice(4, 8)
        .map(({ at, open, high, low, close, delta }) => [at, open, high, low, close, delta]),
  ],
};

/** Trades with a quote value of at least `from` and less than `below`. */
function tier(trades: readonly DayTrade[], from: number, below: number): DayTrade[] {
  return trades.filter(({ quote }) => quote >= quoteUnits(from) && quote < quoteUnits(below));
}

function quoteUnits(amount: number): bigint {
  return amount === Infinity ? 10n ** 40n : BigInt(amount) * 10n ** 16n;
}

function vwaps({ quoteBuy, quoteSell, buy, sell }: DayBar, digits: number): number[] {
  return [rounded(quoteBuy / buy, digits), rounded(quoteSell / sell, digits)];
}
