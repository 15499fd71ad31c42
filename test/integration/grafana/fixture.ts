import type { AggTrade } from '../../../src/domain/trade/agg-trade.ts';
import { DAY_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../../src/domain/time/hour.ts';
import type { Series } from '../../../src/domain/market.ts';
import { realDayIsHere, realDayTrades } from '../../golden/real-day.ts';
import { type FilledHour, fillSeries, type HourFate } from '../../support/filled-series.ts';
import { madeTrades } from '../../support/made-trades.ts';
import { type openStore, uniqueSeries } from '../../support/store.ts';
import { type Level, levelsOf } from './expected-bars.ts';

export const DAY = Date.UTC(2024, 0, 1);
/** Never fetched. */
export const ABSENT_HOUR = DAY + 14 * HOUR_MS;
/** A third of its trades is missing. */
export const HOLED_HOUR = DAY + 20 * HOUR_MS;
/** Days on which the clocks of New York change. */
export const CLOCK_DAYS = [Date.UTC(2024, 2, 10), Date.UTC(2024, 10, 3)];

export interface StoredSeries {
  readonly series: Series;
  readonly originMs: number;
  readonly hours: readonly FilledHour[];
  readonly levels: readonly Level[];
}

export interface Fixture {
  /** The real day if its archive is here, with two holes, followed by 30 quiet hours. */
  readonly spot: StoredSeries;
  /** The same symbol on USD-M. */
  readonly perpetual: StoredSeries;
  readonly clocks: StoredSeries;
  /** Today and yesterday. */
  readonly live: StoredSeries;
}

export async function fillStore(store: ReturnType<typeof openStore>): Promise<Fixture> {
  const series = uniqueSeries('GRAFANA');
  const fill = async (
    of: Series,
    trades: readonly AggTrade[],
    rest: Rest,
  ): Promise<StoredSeries> => {
    const hours = await fillSeries(store, { series: of, trades, ...rest });
    return { series: of, originMs: rest.originMs, hours, levels: levelsOf(hours) };
  };
  return {
    spot: await fill(series, await spotTrades(), { originMs: DAY + DAY_MS, fateOf: spotFate }),
    perpetual: await fill(
      { ...series, market: 'binance_um' },
      madeTrades(1_000_000, DAY, DAY + 2 * DAY_MS, 5 * MINUTE_MS),
      { originMs: DAY },
    ),
    clocks: await fill(uniqueSeries('CLOCKS'), clockTrades(), {
      originMs: Date.UTC(2024, 2, 9),
      isWanted: (hourMs) => CLOCK_DAYS.some((day) => isAround(hourMs, day)),
    }),
    live: await liveSeries(fill),
  };
}

interface Rest {
  readonly originMs: number;
  readonly fateOf?: (hourMs: number) => HourFate;
  readonly isWanted?: (hourMs: number) => boolean;
}

async function spotTrades(): Promise<AggTrade[]> {
  const trades: AggTrade[] = [];
  if (realDayIsHere()) for await (const trade of realDayTrades()) trades.push(trade);
  else trades.push(...madeTrades(500_000, DAY, DAY + DAY_MS, 2_000));
  const nextId = (trades.at(-1)?.aggId ?? 0) + 1;
  const quiet = madeTrades(nextId, DAY + DAY_MS, DAY + 2.25 * DAY_MS, 7 * MINUTE_MS);
  return [...trades, ...quiet];
}

function spotFate(hourMs: number): HourFate {
  if (hourMs === ABSENT_HOUR) return 'absent';
  return hourMs === HOLED_HOUR ? 'holes' : 'proven';
}

function clockTrades(): AggTrade[] {
  const [spring = 0, autumn = 0] = CLOCK_DAYS;
  const first = madeTrades(2_000_000, spring - DAY_MS, spring + 2 * DAY_MS, 11 * MINUTE_MS);
  const nextId = (first.at(-1)?.aggId ?? 0) + 1;
  return [...first, ...madeTrades(nextId, autumn - DAY_MS, autumn + 2 * DAY_MS, 11 * MINUTE_MS)];
}

const isAround = (hourMs: number, dayMs: number): boolean =>
  hourMs >= dayMs - DAY_MS && hourMs < dayMs + 2 * DAY_MS;

/** A series whose last hour has not ended: today's bar is still forming. */
async function liveSeries(
  fill: (of: Series, trades: readonly AggTrade[], rest: Rest) => Promise<StoredSeries>,
): Promise<StoredSeries> {
  const nowMs = Date.now();
  const yesterday = floorTo(nowMs, DAY_MS) - DAY_MS;
  const trades = madeTrades(3_000_000, yesterday, nowMs - 1, 30_000).map((trade) => ({
    ...trade,
    timeUs: Math.min(trade.timeUs, (nowMs - 1) * 1000),
  }));
  return fill(uniqueSeries('LIVE'), trades, {
    originMs: yesterday,
    fateOf: (hourMs) => (hourMs === floorTo(nowMs, HOUR_MS) ? 'open' : 'proven'),
  });
}
