import { afterAll, beforeAll, expect, test } from 'vitest';
import { barText } from '../../src/domain/bars/bar.ts';
import { cdvBars } from '../support/reference-bars.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time/hour.ts';
import { INTERVAL_MS, INTERVALS } from '../../src/domain/time/interval.ts';
import type { SliceRecord } from '../../src/domain/proof/ledger.ts';
import type { Market, Series } from '../../src/domain/market.ts';
import { TIER_INTERVALS } from '../../src/domain/bars/tier.ts';
import { buildDay, keptHours, NOTHING_KEPT } from '../support/built-day.ts';
import { NEVER, openStore, uniqueSeries } from '../support/store.ts';
import { recordOfTrades, tradeOf } from '../support/trades.ts';
import { buildByWindows } from '../support/window-bars/window-bars.ts';

/**
 * A day's bars from hours distilled while they are read, from hours distilled again from the stored rows, and
 * by the window functions of the database: every column of every table is equal.
 */

const DAY = Date.UTC(2024, 1, 29);
const TABLES = [
  ...INTERVALS.map((interval) => `cdv_exact_${interval}`),
  ...TIER_INTERVALS.map((interval) => `tiers_exact_${interval}`),
];

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

/** Values on both sides of the tier bounds; minutes without trades in every hour, and none at the end. */
function tradesOf(hour: number, firstId: number, qty = (place: number) => `${1 + place * 7}.25`) {
  return Array.from({ length: 12 }, (_, place) =>
    tradeOf(firstId + place, DAY + hour * HOUR_MS + place * 3 * MINUTE_MS + place, {
      price: `${3 + place}.50000000`,
      qty: qty(place),
      isBuyerMaker: (place + hour) % 3 === 0,
    }),
  );
}

/** Hours 0 to 20: hour 5 is not on record, hour 7 has holes, and hours after 20 are unknown. */
function makeDay(series: Series, qty?: (place: number) => string) {
  const trades: AggTrade[] = [];
  const records: SliceRecord[] = [];
  for (let hour = 0; hour <= 20; hour += 1) {
    const firstId = 1_000 + hour * 12;
    const hourMs = DAY + hour * HOUR_MS;
    if (hour === 5) continue;
    const made = tradesOf(hour, firstId, qty).filter((_, place) => hour !== 7 || place % 4 !== 1);
    trades.push(...made);
    const prev = { id: firstId - 1, timeUs: hourMs * 1000 - 1 };
    records.push(recordOfTrades(series, hourMs, made, { prev, nextId: firstId + 12 }));
  }
  return { trades, records };
}

/** Longer bars' base volumes are sums of rounded minutes by the database, rounded sums otherwise. */
function nearly(value: string | null | undefined): string | null {
  return value === null || value === undefined ? null : Number(value).toPrecision(12);
}

async function tablesOf({ symbol }: Series): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES) {
    await store.sql.waitApplied(table === 'tiers_exact_1m' ? 'tier_minutes' : table);
    const order = table.startsWith('tiers') ? 'ts, tier' : 'ts';
    const rows = await store.sql.query(
      `SELECT * FROM ${table} WHERE symbol = '${symbol}' AND status <> 'void' ORDER BY ${order}`,
    );
    tables[table] = rows.map((row) => ({
      ...row,
      symbol: undefined,
      series_tier: undefined,
      base_buy_volume: nearly(row['base_buy_volume']),
      base_sell_volume: nearly(row['base_sell_volume']),
    }));
  }
  return tables;
}

function seriesOf(market: Market): Series {
  return { market, symbol: uniqueSeries('COMPUTED').symbol };
}

test.each<[string, Market, { readonly size: string | undefined } | undefined]>([
  ['spot', 'binance_spot', undefined],
  ['contracts of known size', 'binance_cm', { size: '100' }],
  ['contracts of unknown size', 'binance_cm', { size: undefined }],
])('%s: every column of every table is the same by all three ways', async (_, market, contract) => {
  const [kept, again, windows] = [seriesOf(market), seriesOf(market), seriesOf(market)];
  const { trades, records } = makeDay(again);
  await store.trades.write(again, trades, NEVER);
  const made = { dayMs: DAY, records, ...(contract === undefined ? {} : { contract }) };

  // The trades of this series are not stored at all.
  await buildDay(store, kept, made, keptHours(kept, trades, made));
  const day = await buildDay(store, again, made, NOTHING_KEPT);
  await buildByWindows(store.sql, { from: again, into: windows }, day, contract);
  const wanted = await tablesOf(windows);
  expect(await tablesOf(kept)).toEqual(wanted);
  expect(await tablesOf(again)).toEqual(wanted);
});

test('a day with a volume of more than 2^53 units is exact', async () => {
  const series = uniqueSeries('HUGE');
  // The store accepts quantities of up to twenty digits before the point.
  const qty = (place: number) => `9007199254740993${place % 10}.0000000${1 + (place % 9)}`;
  const { trades, records } = makeDay(series, qty);
  await store.trades.write(series, trades, NEVER);
  for (const kept of [keptHours(series, trades, { dayMs: DAY, records }), NOTHING_KEPT]) {
    const day = await buildDay(store, series, { dayMs: DAY, records }, kept);
    expect(day.volumeE8 > 2n ** 53n * 100_000_000n).toBe(true);
    const denseHours = day.hours
      .filter(({ verdict }) => verdict === 'proven')
      .map(({ hourMs }) => hourMs);
    const range = { startMs: DAY, endMs: DAY + DAY_MS };
    for (const interval of INTERVALS) {
      const wanted = [...cdvBars(trades, { intervalMs: INTERVAL_MS[interval], denseHours })];
      expect(await store.bars.bars(series, interval, range)).toMatchObject(wanted.map(barText));
    }
  }
});
