import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBulkStore } from '../../src/adapters/questdb/bulk-store.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import type { AggTrade } from '../../src/domain/trade/agg-trade.ts';
import { HOUR_MS, hourWindowUs } from '../../src/domain/time/hour.ts';
import {
  NEVER,
  openStore,
  silentLog,
  tradesTable,
  tradesView,
  uniqueSeries,
} from '../support/store.ts';
import { blockOf, invalidTradeOf, tradeOf } from '../support/trades.ts';

const HOUR = Date.UTC(2023, 4, 6, 7);
const WINDOW = { startUs: HOUR * 1000, endUs: (HOUR + 3_600_000) * 1000 };

type Store = Pick<ReturnType<typeof openStore>, 'sql' | 'tables' | 'trades' | 'close'>;

/** The same store, with rows written by the bulk load. */
function openBulkStore(): Store {
  const store = openStore();
  return {
    ...store,
    trades: {
      ...store.trades,
      async write(series, trades, signal) {
        const load = store.bulk.open(series, signal);
        await load.add(blockOf(trades), 0, trades.length);
        await load.finish();
      },
    },
  };
}

/** Every way to write trades must pass these tests. */
const implementations = [
  { name: 'batches', open: openStore },
  { name: 'bulk', open: openBulkStore },
];

describe.each(implementations)('trade store: $name', ({ open }) => {
  let store: Store;
  beforeAll(() => {
    store = open();
  });
  afterAll(() => store.close());

  async function readAll(series: ReturnType<typeof uniqueSeries>): Promise<AggTrade[]> {
    const rows: AggTrade[] = [];
    for await (const trade of store.trades.read(series, WINDOW)) rows.push(trade);
    return rows;
  }

  test('returns exactly what was written: extreme decimals, ids beyond 2^32, microseconds', async () => {
    const series = uniqueSeries('EXACT');
    const trades = [
      tradeOf(4_084_611_879, HOUR, { price: '0.00000001', qty: '99999999999999999999.99999999' }),
      tradeOf(4_084_611_880, HOUR, {
        price: '9999999999.99999999',
        qty: '0.00000001',
        timeUs: HOUR * 1000 + 1,
      }),
      tradeOf(4_084_611_881, HOUR + 5, {
        price: '42283.58000000',
        qty: '0.00069000',
        isBuyerMaker: true,
      }),
      invalidTradeOf(4_084_611_882, HOUR + 6),
    ];
    await store.trades.write(series, trades, NEVER);
    expect(await readAll(series)).toEqual(trades);
  });

  test('stores trades only once that were written twice, in any order', async () => {
    const series = uniqueSeries('TWICE');
    const trades = Array.from({ length: 500 }, (_, index) =>
      tradeOf(index, HOUR + Math.floor(index / 100)),
    );
    await store.trades.write(series, trades.toReversed(), NEVER);
    await store.trades.write(series, trades, NEVER);
    expect(await readAll(series)).toEqual(trades);
    expect(await store.trades.readBack(series, WINDOW)).toMatchObject({
      rows: 500,
      doubleRows: 0,
      firstId: 0,
      lastId: 499,
    });
  });

  test('reads more rows than it holds in memory at a time, in id order whatever their times', async () => {
    const series = uniqueSeries('MANY');
    // Times that run backwards in steps, so that order by time is another order than by id.
    const trades = Array.from({ length: 45_000 }, (_, index) =>
      tradeOf(index, HOUR + 1_000_000 + (index % 7) * 100_000 - Math.floor(index / 10)),
    );
    await store.trades.write(series, trades, NEVER);
    const read = await readAll(series);
    expect(read.length).toBe(trades.length);
    expect(read).toEqual(trades);
  });

  test('stores nothing of a batch with one row that does not fit, and accepts the next batch', async () => {
    const series = uniqueSeries('ATOMIC');
    const good = tradeOf(1, HOUR);
    const bad = tradeOf(2, HOUR, { price: '99999999999.00000000' });
    await expect(store.trades.write(series, [good, bad], NEVER)).rejects.toMatchObject({
      code: 'STORE_REFUSED',
    });
    expect(await readAll(series)).toEqual([]);
    await store.trades.write(series, [good], NEVER);
    expect(await readAll(series)).toEqual([good]);
  });

  test('sums valid trades only on read-back, by taker side, exactly', async () => {
    const series = uniqueSeries('SUMS');
    await store.trades.write(
      series,
      [
        tradeOf(1, HOUR, { qty: '0.10000000' }),
        tradeOf(2, HOUR, { qty: '0.20000000' }),
        tradeOf(3, HOUR, { qty: '12345678901.00000001', isBuyerMaker: true }),
        invalidTradeOf(4, HOUR),
      ],
      NEVER,
    );
    expect(await store.trades.readBack(series, WINDOW)).toEqual({
      rows: 4,
      doubleRows: 0,
      firstId: 1,
      lastId: 4,
      buyQty: '0.30000000',
      sellQty: '12345678901.00000001',
    });
  });

  test('detects an id that is stored under two times, also when one of them is just outside the window', async () => {
    const series = uniqueSeries('DOUBLE');
    await store.trades.write(series, [tradeOf(1, HOUR), tradeOf(2, HOUR + 1)], NEVER);
    await store.trades.write(series, [tradeOf(1, HOUR - 1)], NEVER);
    expect(await store.trades.readBack(series, WINDOW)).toMatchObject({ rows: 2, doubleRows: 1 });
  });

  test('hides a buried row from reads, sums and views, and lets it be written again', async () => {
    const series = uniqueSeries('BURIED');
    const trades = [tradeOf(1, HOUR), tradeOf(2, HOUR + 1)];
    await store.trades.write(series, trades, NEVER);
    await store.trades.bury(series, [{ aggId: 1, timeUs: HOUR * 1000 }], NEVER);
    expect(await readAll(series)).toEqual(trades.slice(1));
    expect((await store.trades.readBack(series, WINDOW)).rows).toBe(1);
    const shown = await store.sql.query(
      `SELECT agg_id FROM ${await tradesView(store.sql, series.symbol)}`,
    );
    expect(shown).toEqual([{ agg_id: '2' }]);
    await store.trades.write(series, trades, NEVER);
    expect(await readAll(series)).toEqual(trades);
  });

  test('rejects an aborted write with the given reason', async () => {
    const reason = new Error('told to stop');
    await expect(
      store.trades.write(uniqueSeries('ABORT'), [tradeOf(1, HOUR)], AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
  });

  test('stays usable after a reader that stops early', async () => {
    const series = uniqueSeries('EARLY');
    await store.trades.write(
      series,
      Array.from({ length: 5_000 }, (_, index) => tradeOf(index, HOUR + index)),
      NEVER,
    );
    for (let round = 0; round < 20; round += 1) {
      for await (const trade of store.trades.read(series, WINDOW)) if (trade.aggId === 3) break;
    }
    expect((await readAll(series)).length).toBe(5_000);
  });
});

describe('bulk load', () => {
  let store: ReturnType<typeof openStore>;
  beforeAll(() => {
    store = openStore();
  });
  afterAll(() => store.close());

  test('stores every row over many requests, rows of the same time in id order', async () => {
    const series = uniqueSeries('BULK');
    const trades = Array.from({ length: 60_000 }, (_, index) =>
      tradeOf(index, HOUR + Math.floor(index / 300)),
    );
    const load = store.bulk.open(series, NEVER);
    const block = blockOf(trades);
    for (let row = 0; row < trades.length; row += 7_000)
      await load.add(block, row, Math.min(trades.length, row + 7_000));
    await load.finish();
    expect(await store.trades.readBack(series, WINDOW)).toMatchObject({
      rows: 60_000,
      lastId: 59_999,
    });
    // In the order of the table: the query asks for none.
    const lying = await store.sql.query(
      `SELECT count() n FROM (SELECT agg_id, lag(agg_id) OVER () before FROM ${await tradesTable(store.sql, series.symbol)}) WHERE agg_id < before`,
    );
    expect(lying).toEqual([{ n: '0' }]);
  });

  test('fails when a batch is refused, at once or at its end', async () => {
    const load = store.bulk.open(uniqueSeries('REFUSED'), NEVER);
    const bad = blockOf([tradeOf(1, HOUR, { price: '99999999999.00000000' })]);
    await load.add(bad, 0, 1);
    await expect(load.finish()).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  });

  test('fails as an outage when the store is unreachable', async () => {
    const bulk = createBulkStore('http://127.0.0.1:9', {
      tables: store.tables,
      clock: systemClock,
      log: silentLog,
    });
    const load = bulk.open(uniqueSeries('AWAY'), NEVER);
    await load.add(blockOf([tradeOf(1, HOUR)]), 0, 1);
    await expect(load.finish()).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await bulk.close();
  });

  test('reads many hours back in one query, with the same result as hour by hour', async () => {
    const series = uniqueSeries('HOURS');
    const hours = [0, 1, 3].map((index) => HOUR + index * HOUR_MS);
    for (const [index, hourMs] of hours.entries()) {
      const trade = tradeOf(index, hourMs, { isBuyerMaker: index === 1 });
      await store.trades.write(series, [trade], NEVER);
    }
    const window = { startUs: HOUR * 1000, endUs: (HOUR + 4 * HOUR_MS) * 1000 };
    const found = await store.trades.readBackHours(series, window);
    expect([...found.keys()]).toEqual(hours);
    for (const hourMs of hours)
      expect(found.get(hourMs)).toEqual(await store.trades.readBack(series, hourWindowUs(hourMs)));
    await store.trades.write(series, [tradeOf(0, HOUR + HOUR_MS)], NEVER);
    expect((await store.trades.readBackHours(series, window)).get(HOUR)?.doubleRows).toBe(1);
  });
});
