import {
  type DayBar,
  dayBars,
  type DayTrade,
  rounded,
  stamp,
  usOf,
  within,
} from './cookbook-day.ts';

export type Cell = string | number | boolean;

const MINUTE_US = 60_000_000;
const [FOUR_HOURS, HALF_HOUR, DAY_MINUTES] = [240, 30, 1440] as const;

/** Bars with a new high of the price and no new high of CDV. */
export function divergences(bars: readonly DayBar[]): Cell[][] {
  return bars.flatMap(({ at, high, price }, index) => {
    const before = bars.slice(0, index);
    const highest = Math.max(...before.map((bar) => bar.price.high));
    const highestCdv = Math.max(...before.map((bar) => bar.high));
    return index > 0 && price.high > highest && high < highestCdv
      ? [[at, price.high, highest, high, highestCdv]]
      : [];
  });
}

export const SESSIONS = [
  ['Asia', '00:00', '07:00'],
  ['Europe', '07:00', '13:30'],
  ['America', '13:30', '24:00'],
] as const;

export function sessionRow(
  trades: readonly DayTrade[],
  [name, from, to]: (typeof SESSIONS)[number],
): Cell[] {
  const own = within(trades, from, to);
  const bars = dayBars(own, HALF_HOUR).filter(({ count }) => count > 0);
  const [day] = dayBars(own, DAY_MINUTES);
  return [
    name,
    bars[0]?.at ?? '',
    bars.at(-1)?.at ?? '',
    day?.delta ?? Number.NaN,
    day?.high ?? Number.NaN,
    day?.low ?? Number.NaN,
  ];
}

export function runningSessions(hours: readonly DayBar[]): Cell[][] {
  let [session, level] = ['', 0];
  return hours
    .map(({ at, delta }, hour) => {
      const name = hour < 7 ? 'Asia' : hour < 13 ? 'Europe' : 'America';
      level = name === session ? level + delta : delta;
      session = name;
      return [at, name, delta, rounded(level, 8)];
    })
    .slice(5, 10);
}

export function footprint(trades: readonly DayTrade[]): Cell[][] {
  const bars = Map.groupBy(trades, (trade) => Math.floor(trade.us / (15 * MINUTE_US)));
  return [...bars].flatMap(([bar, own]) => {
    const bins = [...Map.groupBy(own, ({ price }) => Math.floor(price / 50) * 50)].map(
      ([bin, inside]) => {
        const [whole] = dayBars(inside, DAY_MINUTES);
        return { bin, buy: whole?.buy ?? 0, sell: whole?.sell ?? 0, count: inside.length };
      },
    );
    const most = Math.max(...bins.map(({ buy, sell }) => buy + sell));
    return bins
      .toSorted((left, right) => right.bin - left.bin)
      .map(({ bin, buy, sell, count }) => {
        return [
          stamp(bar * 15 * MINUTE_US),
          bin,
          buy,
          sell,
          buy - sell,
          count,
          buy + sell === most,
        ];
      });
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function outliers(minutes: readonly DayBar[]): Cell[][] {
  return minutes.flatMap(({ at, delta }, index) => {
    const before = minutes.slice(Math.max(0, index - 60), index).map((bar) => bar.delta);
    const middle = mean(before);
    const deviation = Math.sqrt(mean(before.map((value) => (value - middle) ** 2)));
    return index >= 60 && Math.abs(delta - middle) > 6 * deviation
      ? [[at, delta, rounded(middle, 3), rounded((delta - middle) / deviation, 2)]]
      : [];
  });
}

export function correlations(minutes: readonly DayBar[]): Cell[][] {
  const closes = minutes.map(({ price }) => price.close);
  const points = minutes.flatMap(({ delta }, index) => {
    const [before = NaN, close = NaN, after = NaN] = [
      closes[index - 1],
      closes[index],
      closes[index + 1],
    ];
    const [same, next] = [close / before - 1, after / close - 1];
    return Number.isNaN(same + next) ? [] : [{ index, delta, same, next }];
  });
  const groups = Map.groupBy(points, ({ index }) => Math.floor(index / FOUR_HOURS));
  return [...groups].map(([group, own]) => {
    const [deltas, same, next] = [
      own.map(({ delta }) => delta),
      own.map((point) => point.same),
      own.map((point) => point.next),
    ];
    const found = [same, next].map((returns) => rounded(correlation(deltas, returns), 3));
    return [stamp(group * FOUR_HOURS * MINUTE_US), ...found, own.length];
  });
}

function correlation(left: readonly number[], right: readonly number[]): number {
  const [leftMean, rightMean] = [mean(left), mean(right)];
  const products = left.map((value, index) => {
    return (value - leftMean) * ((right[index] ?? Number.NaN) - rightMean);
  });
  const square = (values: readonly number[], middle: number) =>
    mean(values.map((value) => (value - middle) ** 2));
  return mean(products) / Math.sqrt(square(left, leftMean) * square(right, rightMean));
}

export function vpin(trades: readonly DayTrade[]): Cell[][] {
  let before = 0;
  const buckets = Map.groupBy(trades, ({ units }) => {
    const bucket = Math.floor(before / (500 * 1e8));
    before += units;
    return bucket;
  });
  const rows = [...buckets].map(([bucket, own]) => {
    const [bar] = dayBars(own, DAY_MINUTES);
    const [volume, imbalance] = [bar?.volume ?? NaN, Math.abs(bar?.delta ?? NaN)];
    return { bucket, until: stamp(own.at(-1)?.us ?? NaN), volume, imbalance };
  });
  return rows.flatMap(({ bucket, until, imbalance }, index) => {
    const ten = rows.slice(Math.max(0, index - 9), index + 1);
    const share = mean(ten.map((row) => row.imbalance)) / mean(ten.map((row) => row.volume));
    return bucket >= 49 && bucket < 54 ? [[bucket, until, imbalance, rounded(share, 4)]] : [];
  });
}

export function signals(minutes: readonly DayBar[]): Cell[][] {
  return ['10:05:30', '10:44:05', '10:54:59'].map((time) => {
    const running = Math.floor(usOf(time) / MINUTE_US);
    const [known = NaN, ahead = NaN] = [minutes[running - 1]?.delta, minutes[running]?.delta];
    const [start, end] = [stamp(running * MINUTE_US), stamp((running + 1) * MINUTE_US)];
    return [stamp(usOf(time)), start, known, end, ahead];
  });
}

/** The first minute has no minute before it in the day, and counts as a wrong prediction. */
export function rightShares(minutes: readonly DayBar[]): Cell[][] {
  const moves = minutes
    .map(({ delta, price }, index) => {
      return {
        move: price.close - price.open,
        ahead: delta,
        known: minutes[index - 1]?.delta ?? 0,
      };
    })
    .filter(({ move }) => !Number.isNaN(move) && move !== 0);
  const share = (field: 'ahead' | 'known') =>
    rounded(moves.filter((each) => each[field] * each.move > 0).length / moves.length, 3);
  return [[moves.length, share('known'), share('ahead')]];
}
