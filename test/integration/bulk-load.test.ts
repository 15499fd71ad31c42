import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Series } from '../../src/domain/market.ts';
import { HOUR_MS } from '../../src/domain/time/hour.ts';
import { NEVER, openStore, uniqueSeries } from '../support/store.ts';
import { blockOf, tradeOf } from '../support/trades.ts';

const HOUR = Date.UTC(2023, 4, 6, 7);
const WINDOW = { startUs: HOUR * 1000, endUs: (HOUR + HOUR_MS) * 1000 };

let store: ReturnType<typeof openStore>;

beforeAll(() => {
  store = openStore();
});

afterAll(async () => store.close());

/** More rows than the server would commit by itself (cairo.max.uncommitted.rows is 500,000). */
const BLOCKS = 12;
const BLOCK = blockOf(
  Array.from({ length: 50_000 }, (_, id) => tradeOf(id, HOUR + Math.floor(id / 20))),
);

/** Blocks with the same ids would replace each other: each has its own. */
function blockAt(index: number) {
  return blockOf(
    BLOCK.trades(0, BLOCK.rows).map((trade) => ({
      ...trade,
      aggId: trade.aggId + index * BLOCK.rows,
    })),
  );
}

async function storedRows(series: Series): Promise<number> {
  return (await store.trades.readBack(series, WINDOW)).rows;
}

test('a load of more rows than one commit usually has is stored whole', async () => {
  const series = uniqueSeries('BULKALL');
  const load = store.bulk.open(series, NEVER);
  for (let index = 0; index < BLOCKS; index += 1) await load.add(blockAt(index), 0, BLOCK.rows);
  expect(await storedRows(series)).toBe(0);
  await load.finish();
  expect(await storedRows(series)).toBe(BLOCKS * BLOCK.rows);
});

test('a row that is refused late leaves nothing stored of all rows before it', async () => {
  const series = uniqueSeries('BULKBAD');
  const load = store.bulk.open(series, NEVER);
  const bad = blockOf([tradeOf(9_999_999, HOUR + 60_000, { price: '99999999999.00000000' })]);
  const work = async () => {
    for (let index = 0; index < BLOCKS; index += 1) await load.add(blockAt(index), 0, BLOCK.rows);
    await load.add(bad, 0, 1);
    await load.finish();
  };
  await expect(work()).rejects.toMatchObject({ code: 'STORE_REFUSED' });
  await load.abandon();
  expect(await storedRows(series)).toBe(0);
  // The table accepts the next load.
  const next = store.bulk.open(series, NEVER);
  await next.add(BLOCK, 0, BLOCK.rows);
  await next.finish();
  expect(await storedRows(series)).toBe(BLOCK.rows);
});

test('rows that were held back are stored when they are kept, and not when they are dropped', async () => {
  const series = uniqueSeries('BULKHOLD');
  const load = store.bulk.open(series, NEVER);
  // Some of these end within a piece, others fill many.
  const sizes = [100, 30_000, 7, 50_000, 1, 9_000];
  let kept = 0;
  for (const [index, rows] of sizes.entries()) {
    load.hold();
    await load.add(blockAt(index), 0, rows);
    if (index % 2 === 0) {
      await load.keep();
      kept += rows;
    } else load.drop();
  }
  await load.add(blockAt(6), 0, 5);
  await load.finish();
  const stored: number[] = [];
  for await (const { aggId } of store.trades.read(series, WINDOW)) stored.push(aggId);
  const blocks = stored.map((aggId) => Math.floor(aggId / BLOCK.rows));
  expect([...new Set(blocks)]).toEqual([0, 2, 4, 6]);
  expect(stored).toHaveLength(kept + 5);
});

test('a load that is abandoned, or whose signal aborts, leaves nothing stored', async () => {
  for (const end of ['abandon', 'abort'] as const) {
    const series = uniqueSeries(`BULK${end.toUpperCase()}`);
    const stop = new AbortController();
    const load = store.bulk.open(series, stop.signal);
    for (let index = 0; index < BLOCKS; index += 1) await load.add(blockAt(index), 0, BLOCK.rows);
    if (end === 'abort') stop.abort(new Error('the lease was lost'));
    await load.abandon();
    // The server notices the end of the connection a moment later.
    await sleep(1_000);
    expect(await storedRows(series), end).toBe(0);
  }
});
