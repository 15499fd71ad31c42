import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStoreLook } from '../../src/adapters/questdb/store-look.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time/hour.ts';
import { openStore, uniqueSeries } from '../support/store.ts';
import { recordOf } from '../support/trades.ts';

const START = Date.UTC(2023, 5, 1);

let store: ReturnType<typeof openStore>;
beforeAll(() => {
  store = openStore();
});
afterAll(() => store.close());

test('cells of the strip count what the view coverage says', async () => {
  const series = uniqueSeries('CELLS');
  for (const hour of [0, 1, 5, 23, 24, 30, 49]) {
    const record = { ...recordOf(START + hour * HOUR_MS, hour * 100, 10), ...series };
    const next = hour === 24 ? undefined : record.next;
    // Ids of the hour 30 are missing.
    const rows = hour === 30 ? 7 : 10;
    await store.ledger.write([{ record: { ...record, next, rows }, gaps: [] }], START);
  }
  const look = createStoreLook(store.sql);
  const cells = await look.coverageCells(START, DAY_MS);
  const ours = cells.filter(({ symbol }) => symbol === series.symbol);
  const view = await store.sql.query(
    `SELECT (ts::long - ${START * 1000}) / ${DAY_MS * 1000} AS cell, verdict, count() AS n FROM coverage ` +
      `WHERE symbol = '${series.symbol}' ORDER BY cell, verdict`,
  );
  const inView = view.map(({ cell, verdict, n }) => `${cell} ${verdict} ${n}`);
  expect(inView).toEqual(['0 proven 4', '1 gap 1', '1 open 1', '2 proven 1']);
  const found = ours
    .toSorted((left, right) => left.index - right.index)
    .map(({ index, proven, open, gap }) => [index, proven, open, gap]);
  expect(found).toEqual([
    [0, 4, 0, 0],
    [1, 0, 1, 1],
    [2, 1, 0, 0],
  ]);
  // They are kept only until an hour is written.
  const record = { ...recordOf(START + 50 * HOUR_MS, 9_000, 10), ...series };
  await store.ledger.write([{ record, gaps: [] }], START);
  const later = await look.coverageCells(START, DAY_MS);
  expect(later.find((cell) => cell.symbol === series.symbol && cell.index === 2)?.proven).toBe(2);
});
