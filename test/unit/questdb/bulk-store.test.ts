import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBulkStore } from '../../../src/adapters/questdb/bulk-store.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { NEVER, ONE_TABLE, silentLog } from '../../support/store.ts';
import { blockOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1);
const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;

let server: Server;
let url: string;
let arrived: string[] = [];
let answered = 0;

/** A slow server that records what it receives. What QuestDB stores is tested in test/contract. */
beforeAll(async () => {
  server = createServer((request, response) => {
    void text(request).then(async (body) => {
      await sleep(200);
      arrived.push(body);
      answered += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

test('an abandoned load has no request in progress any more', async () => {
  const bulk = createBulkStore(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
  arrived = [];
  answered = 0;
  const load = bulk.open(SERIES, NEVER);
  const block = blockOf(Array.from({ length: 70_000 }, (_, id) => tradeOf(id, HOUR + id)));
  await load.add(block, 0, block.rows);
  expect(answered).toBe(0);
  await load.abandon();
  expect(answered).toBe(1);
  await bulk.close();
});

test('rows of the same time are not split over two requests', async () => {
  const bulk = createBulkStore(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
  arrived = [];
  const load = bulk.open(SERIES, NEVER);
  const block = blockOf(
    Array.from({ length: 120_000 }, (_, id) => tradeOf(id, HOUR + Math.floor(id / 390))),
  );
  await load.add(block, 0, block.rows);
  await load.finish();
  const times = arrived.map((body) => new Set(body.match(/ \d+t$/gm)));
  expect(times.length).toBeGreaterThan(1);
  expect(times.reduce((sum, set) => sum + set.size, 0)).toBe(
    new Set(times.flatMap((set) => [...set])).size,
  );
  await bulk.close();
});

test('a line has the trade’s own digits', async () => {
  const bulk = createBulkStore(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
  arrived = [];
  const load = bulk.open(SERIES, NEVER);
  await load.add(
    blockOf([tradeOf(7, HOUR, { price: '0.10', qty: '42', isBuyerMaker: true })]),
    0,
    1,
  );
  await load.finish();
  expect(arrived).toEqual([
    'agg_trades_spot_x_1 agg_id=7i,price=0.10d,qty=42d,first_id=14i,last_id=15i,' +
      `is_buyer_maker=t ${HOUR * 1000}t\n`,
  ]);
  await bulk.close();
});
