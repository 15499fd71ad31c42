import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBulkStore } from '../../../src/adapters/questdb/bulk-store.ts';
import { systemClock } from '../../../src/adapters/system/clock.ts';
import { NEVER, ONE_TABLE, silentLog } from '../../support/store.ts';
import { blockOf, tradeOf } from '../../support/trades.ts';

const HOUR = Date.UTC(2024, 0, 1);
const SERIES = { market: 'binance_spot', symbol: 'BTCUSDT' } as const;

let server: Server;
let url: string;
let whole: string[] = [];
let broken = 0;
/** What the server does with a request before it reads it. */
let receive: (request: IncomingMessage) => Promise<number>;

/** A server that records what it receives. What QuestDB stores is tested in test/integration. */
beforeAll(async () => {
  server = createServer((request, response) => {
    receive(request)
      .then(async (status) => {
        if (status === 204) whole.push(await text(request));
        response.writeHead(status).end(status === 204 ? '' : 'error in line 3');
      })
      .catch(() => {
        broken += 1;
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  whole = [];
  broken = 0;
  receive = async () => 204;
});

afterAll(() => server.close());

const open = () => createBulkStore(url, { tables: ONE_TABLE, clock: systemClock, log: silentLog });
const MANY = blockOf(Array.from({ length: 120_000 }, (_, id) => tradeOf(id, HOUR + id)));

test('all rows of a load are in one request', async () => {
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  await load.add(MANY, 0, 50_000);
  await load.add(MANY, 50_000, 120_000);
  await load.finish();
  expect(whole).toHaveLength(1);
  expect(whole[0]?.match(/^agg_trades_spot_x_1 agg_id=\d+i,/gm)).toHaveLength(120_000);
  await bulk.close();
});

test('a load without rows makes no request', async () => {
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  await load.add(MANY, 5, 5);
  await load.finish();
  await load.abandon();
  expect([whole.length, broken]).toEqual([0, 0]);
  await bulk.close();
});

test('an abandoned load ends its request before the last row', async () => {
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  await load.add(MANY, 0, 100_000);
  await load.abandon();
  await expect.poll(() => broken).toBe(1);
  expect(whole).toEqual([]);
  await bulk.close();
});

test('rows are not taken faster than the server takes them', async () => {
  const started = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  receive = async () => {
    started.resolve();
    await gate.promise;
    return 204;
  };
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  let taken = 0;
  const work = (async () => {
    for (let round = 0; round < 6; round += 1) {
      await load.add(MANY, 0, MANY.rows);
      taken += MANY.rows;
    }
    await load.finish();
  })();
  await started.promise;
  await new Promise((resolve) => setTimeout(resolve, 500));
  // Six rounds are 75 MB; a few megabytes are in buffers of the two processes.
  expect(taken).toBeLessThan(3 * MANY.rows);
  gate.resolve();
  await work;
  expect(whole[0]?.length).toBeGreaterThan(60 * 2 ** 20);
  await bulk.close();
});

test('a refusal in the middle ends the load with its reason', async () => {
  receive = async () => 400;
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  const work = async () => {
    for (let round = 0; round < 6; round += 1) await load.add(MANY, 0, MANY.rows);
    await load.finish();
  };
  await expect(work()).rejects.toMatchObject({
    code: 'STORE_REFUSED',
    message: expect.stringContaining('error in line 3') as string,
  });
  await load.abandon();
  await bulk.close();
});

test('a line has the trade’s own digits', async () => {
  const bulk = open();
  const load = bulk.open(SERIES, NEVER);
  await load.add(
    blockOf([tradeOf(7, HOUR, { price: '0.10', qty: '42', isBuyerMaker: true })]),
    0,
    1,
  );
  await load.finish();
  expect(whole).toEqual([
    'agg_trades_spot_x_1 agg_id=7i,price=0.10d,qty=42d,first_id=14i,last_id=15i,' +
      `is_buyer_maker=t ${HOUR * 1000}t\n`,
  ]);
  await bulk.close();
});
