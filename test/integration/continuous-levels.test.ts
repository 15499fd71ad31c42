import { afterAll, beforeAll, expect, test } from 'vitest';
import { literal, timestamp } from '../../src/adapters/questdb/sql.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { INTERVALS } from '../../src/domain/time/interval.ts';
import { fillSeries } from '../support/filled-series.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { tradeOf } from '../support/trades.ts';

const DAY = Date.UTC(2024, 1, 28);
const NEXT_DAY = DAY + DAY_MS;

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

test('bars of a day that is built but not yet chained have no continuous level, and never that of an older day', async () => {
  const series = uniqueSeries('UNCHAINED');
  const trades = Array.from({ length: 48 }, (_, hour) =>
    tradeOf(1_000 + hour, DAY + hour * HOUR_MS, { qty: '1.00000000', isBuyerMaker: false }),
  );
  await fillSeries(store, { series, trades, originMs: DAY });
  const levels = (interval: string, dayMs: number) =>
    store.sql.query(
      `SELECT open, high, low, close, level_missing FROM cdv_${interval}_total WHERE symbol = ${literal(series.symbol)} ` +
        `AND ts >= ${timestamp(dayMs)} AND ts < ${timestamp(dayMs + DAY_MS)} ORDER BY ts`,
    );
  const [chained] = await levels('1d', NEXT_DAY);
  expect(chained).toMatchObject({ open: '25.0', close: '48.0', level_missing: '0' });

  // The database can't delete rows; under another symbol this row no longer belongs to the series.
  await store.sql.query(
    `UPDATE anchors SET symbol = ${literal(`${series.symbol}LATER`)} WHERE symbol = ${literal(series.symbol)} AND ts = ${timestamp(NEXT_DAY)}`,
  );
  await store.sql.waitApplied('anchors');

  const unknown = { open: null, high: null, low: null, close: null, level_missing: null };
  for (const interval of INTERVALS) {
    const bars = await levels(interval, NEXT_DAY);
    expect(bars.length, interval).toBeGreaterThan(0);
    expect(bars, interval).toEqual(bars.map(() => unknown));
    const before = await levels(interval, DAY);
    expect(before.at(-1), interval).toMatchObject({ close: '24.0', level_missing: '0' });
  }
});
